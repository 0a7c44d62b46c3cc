"""The life of a call by the clock, to the frame: on a carrier that says nothing, in time that passes when told to."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import aiohttp
import pytest
from tests.carrierbox.test_callees import SaysWord
from tests.carrierbox.virtual_clock import VirtualClock

from carrierbox.callees.script import Being, Pickup, Script, Stay, Wait
from carrierbox.calls.call import Call, MachineDetection
from carrierbox.calls.carrier import Moment, SocketTerms, Source, Stream, StreamChange, Wire
from carrierbox.calls.exchange import Exchange
from carrierbox.calls.ledger import Ledger
from carrierbox.calls.lifecycle import Direction, EndedBy, Ending, State, WrongState
from carrierbox.calls.phone_call import SETUP_S
from carrierbox.calls.steps import Connect, Pause, PressKeys, Reject, Step
from carrierbox.calls.tools import Tools
from carrierbox.delivery.callback import Callback, Reply
from carrierbox.delivery.courier import Courier
from carrierbox.delivery.faults import FaultBook
from carrierbox.numbers import OwnedNumber

RING_S = 1.5


@dataclass
class QuietCarrier:
    """Keeps `Carrier`: it remembers the moments it was told of, and has one document for every call."""

    steps: Sequence[Step] = (Pause(100_000),)
    moments: list[Moment] = field(default_factory=list)
    verdicts: list[Being] = field(default_factory=list)
    name: str = "quiet"
    buffer_ms: int = 60_000

    def announce(self, call: Call, moment: Moment) -> list[Callback]:
        self.moments.append(moment)
        return []

    def announce_verdict(self, call: Call) -> list[Callback]:
        assert call.verdict is not None
        self.verdicts.append(call.verdict.being)
        return []

    def announce_stream(self, call: Call, stream: Stream, change: StreamChange, why: str) -> list[Callback]:
        return []

    def answer(self, call: Call) -> Source:
        return Source(steps=self.steps)

    def go_to(self, call: Call, url: str, method: str) -> Source:
        return Source()

    def read(self, call: Call, reply: Reply) -> Sequence[Step]:
        return ()

    def may_connect(self, step: Connect) -> str | None:
        return "it connects to nothing"

    def socket_terms(self, call: Call, stream: Stream) -> SocketTerms:
        return SocketTerms()

    def wire(self, call: Call, stream: Stream) -> Wire:
        raise AssertionError("This carrier connects to nothing.")

    def new_call_id(self) -> str:
        return "child"

    def new_stream_id(self) -> str:
        return "stream"

    def inbound_terms(self, called: OwnedNumber) -> object:
        return None

    def child_terms(self, parent: Call) -> object:
        return None


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
async def exchange(http: aiohttp.ClientSession, clock: VirtualClock) -> AsyncIterator[Exchange]:
    faults = FaultBook()
    tools = Tools(clock, Courier(http, clock, faults), http, SaysWord(), faults, recording_seconds=3600)
    exchange = Exchange(tools, Ledger(10, 10, 10))
    yield exchange
    await exchange.close()


def ring(exchange: Exchange, carrier: QuietCarrier, script: Script, **more: object) -> Call:
    clock = exchange.tools.clock
    start = {"direction": Direction.OUTBOUND, "created_at": clock.now(), "terms": None} | more
    call = Call(id="c1", carrier="quiet", account_id="a1", caller="+12025550150", callee="+12025550123", **start)
    return exchange.place(carrier, call, script)


class TestAPhoneCall:
    async def test_rings_for_as_long_as_its_owner_lets_it(self, exchange: Exchange, clock: VirtualClock) -> None:
        call = ring(exchange, QuietCarrier(), Script((Stay(),)))
        await clock.pass_by(SETUP_S + RING_S - 0.01)
        assert call.state is State.RINGING
        await clock.pass_by(0.02)
        assert call.state is State.IN_PROGRESS

    async def test_gives_up_at_its_ring_timeout(self, exchange: Exchange, clock: VirtualClock) -> None:
        call = ring(exchange, QuietCarrier(), Script(pickup=Pickup.NO_ANSWER), ring_timeout_s=60.0)
        await clock.pass_by(60.1)
        assert call.state is State.RINGING
        await clock.pass_by(0.1)
        assert (call.ending, call.answered_at) == (Ending.NO_ANSWER, None)

    async def test_ends_at_its_time_limit(self, exchange: Exchange, clock: VirtualClock) -> None:
        call = ring(exchange, QuietCarrier(), Script((Stay(),), ring_ms=0), time_limit_s=0.5)
        await clock.pass_by(1)
        assert (call.ending, call.ended_by, call.duration_s) == (Ending.TIME_LIMIT, EndedBy.CARRIER, 1)

    async def test_is_heard_and_spoken_frame_by_frame_from_the_answer(
        self, exchange: Exchange, clock: VirtualClock
    ) -> None:
        call = ring(exchange, QuietCarrier(), Script((Stay(),), ring_ms=0))
        await clock.pass_by(SETUP_S)
        assert len(call.heard) == len(call.spoken) == 160
        await clock.pass_by(10.0)
        assert len(call.heard) == len(call.spoken) == 501 * 160

    async def test_is_told_in_order(self, exchange: Exchange, clock: VirtualClock) -> None:
        carrier = QuietCarrier()
        ring(exchange, carrier, Script((Wait(500),)))
        await clock.pass_by(5)
        assert carrier.moments == [Moment.INITIATED, Moment.RINGING, Moment.ANSWERED, Moment.ENDED]

    async def test_waits_for_its_turn_to_be_dialed(self, exchange: Exchange, clock: VirtualClock) -> None:
        call = ring(exchange, QuietCarrier(), Script((Stay(),)), queue_ms=30_000)
        await clock.pass_by(29.9)
        assert call.state is State.QUEUED
        await clock.pass_by(0.2)
        assert call.state is State.INITIATED

    @pytest.mark.parametrize(("being", "after_s"), [(Being.HUMAN, 2.0), (Being.MACHINE, 3.5), (Being.UNKNOWN, 5.0)])
    async def test_is_judged_after_as_long_as_judging_takes(
        self, exchange: Exchange, clock: VirtualClock, being: Being, after_s: float
    ) -> None:
        carrier = QuietCarrier((PressKeys("1"), Pause(100)))
        call = ring(exchange, carrier, Script((Stay(),), ring_ms=0, being=being), detection=MachineDetection(hold=True))
        await clock.pass_by(SETUP_S + after_s - 0.01)
        assert carrier.verdicts == []
        await clock.pass_by(0.02)
        assert carrier.verdicts == [being]
        assert "heard key 1" not in [entry.event for entry in call.timeline]
        await clock.pass_by(0.3)
        assert "heard key 1" in [entry.event for entry in call.timeline]

    async def test_is_hung_up_on_a_machine_if_asked_to(self, exchange: Exchange, clock: VirtualClock) -> None:
        script = Script((Stay(),), ring_ms=0, being=Being.MACHINE)
        call = ring(exchange, QuietCarrier(), script, detection=MachineDetection(hang_up=True))
        await clock.pass_by(5)
        assert (call.ending, call.ended_by) == (Ending.MACHINE, EndedBy.CARRIER)

    async def test_can_be_cancelled_before_it_is_answered_and_hung_up_after(
        self, exchange: Exchange, clock: VirtualClock
    ) -> None:
        call = ring(exchange, QuietCarrier(), Script((Stay(),)))
        await clock.pass_by(1)
        exchange.phone(call.id).hang_up(EndedBy.API)
        await clock.pass_by(0)
        assert call.ending is Ending.CANCELED
        with pytest.raises(WrongState):
            exchange.phone(call.id)

    async def test_ends_once_whoever_ends_it_first(self, exchange: Exchange, clock: VirtualClock) -> None:
        carrier = QuietCarrier()
        call = ring(exchange, carrier, Script((Stay(),), ring_ms=0))
        await clock.pass_by(1)
        phone = exchange.phone(call.id)
        phone.hang_up(EndedBy.API)
        phone.hang_up(EndedBy.PARTY)
        await clock.pass_by(1)
        assert (call.ended_by, carrier.moments.count(Moment.ENDED)) == (EndedBy.API, 1)

    async def test_that_comes_in_is_answered_by_its_document(self, exchange: Exchange, clock: VirtualClock) -> None:
        carrier = QuietCarrier((Pause(1),))
        call = ring(exchange, carrier, Script((Stay(),)), direction=Direction.INBOUND)
        await clock.pass_by(1.5)
        assert (call.ending, call.duration_s) == (Ending.DOCUMENT_OVER, 1)

    async def test_that_comes_in_can_be_turned_down_unanswered(self, exchange: Exchange, clock: VirtualClock) -> None:
        carrier = QuietCarrier((Reject(busy=True),))
        call = ring(exchange, carrier, Script((Stay(),)), direction=Direction.INBOUND)
        await clock.pass_by(1)
        assert (call.ending, call.answered_at) == (Ending.BUSY, None)
        assert carrier.moments == [Moment.RINGING, Moment.ENDED]
