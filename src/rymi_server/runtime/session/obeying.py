"""Carries out what the API orders of a running agent: in the order of coming, each told as obeyed once it is.

How something is said, and that nobody is answered meanwhile, is the conversation's to know.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from rymi_server.runtime.reports import AnyReport, Happened, Order
from rymi_server.runtime.session.aside import Aside

# What is being said to everybody when a human is to be briefed may come to its end.
_ENDS_A_SENTENCE_S: Final = 5.0


class Ordered(Protocol):
    """The conversation, as orders see it."""

    def say(self, text: str, *, interruptible: bool = True) -> Awaitable[Any]:
        """The result is awaited to know that it was said."""
        ...

    def step_back(self) -> None:
        """Serve nobody, until `come_back`."""
        ...

    def come_back(self) -> None: ...

    async def end_sentence(self, within_s: float) -> None:
        """Wait until what is being said has been said, but no longer."""
        ...

    async def fall_silent(self) -> None: ...

    def end(self, reason: str, farewell: str = "") -> None: ...


@dataclass(slots=True)
class Obeying:
    """`obeyed` is told the number of an order that was carried out: what is left at the end, a successor does."""

    conversation: Ordered
    aside: Aside
    send: Callable[[AnyReport], None]
    obeyed: Callable[[int], None]
    _last: "asyncio.Task[None] | None" = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def obey(self, order: Order) -> None:
        self._last = asyncio.create_task(self._obey(order, self._last))
        self._tasks.add(self._last)
        self._last.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _obey(self, order: Order, before: "asyncio.Task[None] | None") -> None:
        if before is not None:
            await asyncio.wait([before])
        if order.kind == "leave":
            await self._leave(order)
            return
        if order.kind == "say" and order.text:
            await self.conversation.say(order.text, interruptible=False)
        elif order.kind == "brief" and order.text:
            await self._brief(order)
        elif order.kind == "say_and_end":
            self.conversation.end(order.reason or "ended_by_api", order.text)
        elif order.kind == "step_back":
            self.conversation.step_back()
            await self.conversation.fall_silent()
        elif order.kind == "come_back":
            self.conversation.come_back()
            if order.text:
                self.conversation.say(order.text)
        self.obeyed(order.number)

    async def _brief(self, order: Order) -> None:
        """Nobody but the human hears it. From now on the agent serves nobody, until it is told to come back."""
        self.conversation.step_back()
        await self.conversation.end_sentence(_ENDS_A_SENTENCE_S)
        await self.conversation.fall_silent()
        async with self.aside.alone_with(order.participant_id or "") as obstacle:
            if obstacle is None:
                await self.conversation.say(order.text, interruptible=False)
            else:
                self.send(Happened(level="warning", message=f"The human was not briefed: {obstacle}"))

    async def _leave(self, order: Order) -> None:
        """Not where nobody is left who could serve the caller: then the agent waits to be called back."""
        self.conversation.step_back()
        await self.conversation.fall_silent()
        if order.participant_id is not None and self.aside.present_as(order.participant_id) is None:
            return
        self.obeyed(order.number)
        # Told at once; the API's answer is what ends this run.
        self.send(Happened(message="The agent leaves the call to the people in it."))
