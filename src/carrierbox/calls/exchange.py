"""The switchboard: takes orders for calls, starts their lives, and finds the live ones again."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from carrierbox.callees.magic import script_for
from carrierbox.callees.script import Pickup, Script
from carrierbox.calls.call import Call
from carrierbox.calls.carrier import Carrier
from carrierbox.calls.ledger import Ledger
from carrierbox.calls.lifecycle import Direction, EndedBy, WrongState
from carrierbox.calls.phone_call import PhoneCall
from carrierbox.calls.steps import Dial
from carrierbox.calls.tools import Tools
from carrierbox.numbers import to_e164

WhenAnswered = Callable[[PhoneCall], Awaitable[None]]


class Exchange:
    """All calls of the box pass here, whichever carrier they are on."""

    def __init__(self, tools: Tools, ledger: Ledger) -> None:
        self.tools = tools
        self.ledger = ledger
        self.scripts: dict[str, Script] = {}
        self._phones: dict[str, PhoneCall] = {}

    def place(self, carrier: Carrier, call: Call, script: Script | None = None) -> Call:
        """Start a call, or raise `BoxIsFull`. Without a script the number decides who is there."""
        self._start(carrier, call, script or self.script_of(call.callee), None)
        return call

    def script_of(self, number: str) -> Script:
        return self.scripts.get(number) or script_for(number)

    def phone(self, call_id: str) -> PhoneCall:
        """The live call, or `WrongState` if it is over."""
        self.ledger.get(call_id)
        phone = self._phones.get(call_id)
        if phone is None or phone.call.is_over:
            raise WrongState("The call is over.")
        return phone

    async def close(self) -> None:
        """Hang up everything, and return when nothing runs any more."""
        phones = list(self._phones.values())
        for phone in phones:
            phone.hang_up(EndedBy.CONTROL)
        await asyncio.gather(*(phone.gone.wait() for phone in phones))

    def _start(self, carrier: Carrier, call: Call, script: Script, when_answered: WhenAnswered | None) -> PhoneCall:
        self.ledger.admit()
        call.began_s = self.tools.clock.seconds()
        self.ledger.enter(call)
        phone = PhoneCall(call, carrier, script, self.tools, self._dial, self._forget, when_answered)
        self._phones[call.id] = phone
        phone.start()
        return phone

    def _dial(self, parent: PhoneCall, step: Dial, when_answered: WhenAnswered) -> PhoneCall:
        number = to_e164(step.number) or step.number
        child = Call(
            id=parent.carrier.new_call_id(),
            carrier=parent.call.carrier,
            account_id=parent.call.account_id,
            direction=Direction.OUTBOUND,
            caller=step.caller or parent.call.own_number,
            callee=number,
            created_at=self.tools.clock.now(),
            terms=parent.carrier.child_terms(parent.call),
            ring_timeout_s=step.timeout_s,
            parent_id=parent.call.id,
        )
        return self._start(parent.carrier, child, _reachable(self.script_of(number), number), when_answered)

    def _forget(self, phone: PhoneCall) -> None:
        self._phones.pop(phone.call.id, None)


def _reachable(script: Script, number: str) -> Script:
    return script if to_e164(number) else replace(script, pickup=Pickup.UNREACHABLE)
