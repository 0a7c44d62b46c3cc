"""What the API orders, and what an agent in a call does then."""

import asyncio
from dataclasses import dataclass, field

from rymi_server.runtime.reports import AnyReport, Happened, Order
from rymi_server.runtime.session.aside import Aside
from rymi_server.runtime.session.obeying import Obeying

HUMAN = "participant-of-mary"


@dataclass
class Call:
    """Keeps the promise of `Ordered`, and is the room: whatever is done in it is written down in order."""

    present: dict[str, str] = field(default_factory=lambda: {HUMAN: "mary"})
    done: list[str] = field(default_factory=list)
    obeyed: list[int] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    speaks: asyncio.Event = field(default_factory=asyncio.Event)
    # Until then nothing that is said has been said to its end.
    said: asyncio.Event = field(default_factory=asyncio.Event)

    of_others: "set[asyncio.Task[object]]" = field(default_factory=asyncio.all_tasks)

    def __post_init__(self) -> None:
        self.said.set()
        aside = Aside(self.speak_to, self.present.get)
        self.obeying = Obeying(self, aside, self.told, self.obeyed.append)

    def say(self, text: str, *, interruptible: bool = True) -> "asyncio.Task[bool]":
        self.done.append(f"{'say' if interruptible else 'must say'} {text}")
        self.speaks.set()
        return asyncio.create_task(self.said.wait())

    def step_back(self) -> None:
        self.done.append("step back")

    def come_back(self) -> None:
        self.done.append("come back")

    async def end_sentence(self, within_s: float) -> None:
        self.done.append(f"end the sentence within {within_s:g} s")

    async def fall_silent(self) -> None:
        self.done.append("fall silent")

    def end(self, reason: str, farewell: str = "") -> None:
        self.done.append(f"end: {reason}, {farewell}")

    async def speak_to(self, identity: str | None) -> None:
        self.done.append(f"speak to {identity or 'everybody'}")

    def told(self, report: AnyReport) -> None:
        assert isinstance(report, Happened)
        self.sent.append(report.message)

    async def ordered(self, *orders: Order) -> None:
        """All of them at once, and carried out."""
        for order in orders:
            self.obeying.obey(order)
        async with asyncio.timeout(5):
            while pending := asyncio.all_tasks() - self.of_others:
                await asyncio.wait(pending)


class TestOrders:
    async def test_are_carried_out_one_after_the_other(self) -> None:
        call = Call()
        call.said.clear()
        call.obeying.obey(Order(number=1, kind="say", text="one"))
        call.obeying.obey(Order(number=2, kind="say", text="two"))
        async with asyncio.timeout(5):
            await call.speaks.wait()
        assert (call.done, call.obeyed) == (["must say one"], [])
        call.said.set()
        await call.ordered()
        assert (call.done, call.obeyed) == (["must say one", "must say two"], [1, 2])

    async def test_that_are_not_carried_out_to_the_end_are_not_obeyed(self) -> None:
        call = Call()
        call.said.clear()
        call.obeying.obey(Order(number=1, kind="say", text="one"))
        call.obeying.obey(Order(number=2, kind="say", text="two"))
        async with asyncio.timeout(5):
            await call.speaks.wait()
            await call.obeying.aclose()
        assert (call.done, call.obeyed) == (["must say one"], [])

    async def test_with_nothing_to_say_are_obeyed_by_saying_nothing(self) -> None:
        call = Call()
        await call.ordered(Order(number=1, kind="say"), Order(number=2, kind="brief"))
        assert (call.done, call.obeyed) == ([], [1, 2])

    async def test_to_end_name_a_reason(self) -> None:
        call = Call()
        await call.ordered(Order(number=1, kind="say_and_end", text="Bye.", reason="credit"))
        await call.ordered(Order(number=2, kind="say_and_end"))
        assert call.done == ["end: credit, Bye.", "end: ended_by_api, "]

    async def test_to_step_back_hold_until_it_is_to_come_back(self) -> None:
        call = Call()
        await call.ordered(Order(number=1, kind="step_back"), Order(number=2, kind="come_back", text="Here I am."))
        assert call.done == ["step back", "fall silent", "come back", "say Here I am."]
        assert call.obeyed == [1, 2]


class TestABriefing:
    async def test_is_for_the_human_alone(self) -> None:
        call = Call()
        await call.ordered(Order(number=1, kind="brief", text="It is about a bill.", participant_id=HUMAN))
        assert call.done == [
            "step back",
            "end the sentence within 5 s",
            "fall silent",
            "speak to mary",
            "must say It is about a bill.",
            "speak to everybody",
        ]
        assert (call.obeyed, call.sent) == ([1], [])

    async def test_is_not_given_to_everybody_once_the_human_has_gone(self) -> None:
        call = Call()
        identities = iter(["mary", None])
        call.obeying.aside.present_as = lambda _: next(identities)
        await call.ordered(Order(number=1, kind="brief", text="It is about a bill.", participant_id=HUMAN))
        assert call.done[3:] == ["speak to mary", "speak to everybody"]
        assert (call.obeyed, call.sent) == ([1], ["The human was not briefed: they have left"])


class TestLeaving:
    async def test_is_told_once_the_agent_is_silent(self) -> None:
        call = Call()
        await call.ordered(Order(number=1, kind="leave", participant_id=HUMAN), Order(number=2, kind="leave"))
        assert call.done == ["step back", "fall silent"] * 2
        assert call.obeyed == [1, 2]
        assert call.sent == ["The agent leaves the call to the people in it."] * 2

    async def test_waits_for_another_order_where_nobody_is_left_to_serve_the_caller(self) -> None:
        call = Call(present={})
        await call.ordered(Order(number=1, kind="leave", participant_id=HUMAN))
        assert call.done == ["step back", "fall silent"]
        assert (call.obeyed, call.sent) == ([], [])
        await call.ordered(Order(number=2, kind="come_back", text="Nobody is there."))
        assert call.done[2:] == ["come back", "say Nobody is there."]
