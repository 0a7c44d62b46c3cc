"""Sends reports in numbered batches, again and again until the API has them, and hears what the API wants.

What must be kept waits in memory for as long as the API answers, and in a journal on disk once it does not. Only what
is shown live and kept nowhere may be left out.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog

from rymi_server.foundation.errors import Unavailable
from rymi_server.runtime.reporting.journal import Journal
from rymi_server.runtime.reports import AgentState, Answer, AnyReport, Drafted, Numbered, Order, Reports, Speaking

log = structlog.get_logger(__name__)

VOLATILE: Final = (AgentState, Drafted, Speaking)
_MOST_IN_A_BATCH: Final = 200
_MOST_VOLATILE: Final = 300


@dataclass(frozen=True, slots=True)
class Pace:
    """How long is waited for more, for a sign of life, for the API to come back, and at the end."""

    batch_after_s: float = 0.05
    sign_of_life_s: float = 2.0
    shortest_wait_s: float = 0.2
    longest_wait_s: float = 5.0
    closes_within_s: float = 10.0


class Undelivered(Unavailable):
    """The API did not take a batch. `refused`: it never will, as it stands."""

    code = "reports_undelivered"

    def __init__(self, message: str, *, refused: bool = False) -> None:
        super().__init__(message, retryable=not refused)
        self.refused = refused


class Post(Protocol):
    async def __call__(self, reports: Reports) -> Answer:
        """Raise `Undelivered`."""
        ...


@dataclass(slots=True)
class Reporter:
    """`on_order` and `on_over` are called from the event loop; an order once only."""

    post: Post
    run: str
    journal: Journal
    on_order: Callable[[Order], None] = field(default=lambda _: None)
    # The highest number of an order that was carried out: set by whoever carries them out.
    obeyed: int = 0
    on_over: Callable[[], None] = field(default=lambda: None)
    pace: Pace = field(default_factory=Pace)
    _waiting: deque[AnyReport] = field(default_factory=deque)
    _volatile: int = 0
    _sent: tuple[Numbered, ...] = ()
    _sequence: int = 0
    _orders_heard: int = 0
    _introduced: bool = False
    _offset: int = 0
    _said_goodbye: bool = False
    _over: bool = False
    _failures: int = 0
    _smallest: bool = False
    _kick: asyncio.Event = field(default_factory=asyncio.Event)
    _closing: bool = False
    _task: asyncio.Task[None] | None = None

    @property
    def over(self) -> bool:
        """The API says that the call has ended."""
        return self._over

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    def send(self, report: AnyReport) -> None:
        """Never blocks and never fails."""
        if isinstance(report, VOLATILE):
            if self._volatile >= _MOST_VOLATILE or self._failures:
                return
            self._volatile += 1
        self._waiting.append(report)
        self._kick.set()

    async def aclose(self) -> None:
        """Deliver what waits; what cannot be delivered in time stays in the journal."""
        self._closing = True
        self._kick.set()
        if self._task is None:
            return
        await asyncio.wait([self._task], timeout=self.pace.closes_within_s)
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._write_down()
        if self.journal.waiting:
            log.warning("reports_left_in_journal", count=self.journal.waiting)
        self.journal.let_go()

    async def _run(self) -> None:
        while not (self._closing and self._is_empty and self._said_goodbye):
            await self._wait()
            try:
                await self._deliver()
            except Undelivered as error:
                if not self._failures:
                    log.warning("api_unreachable", error=error.message)
            except Exception:
                # A fault of ours must cost neither the signs of life nor what the API orders.
                log.exception("reports_not_sent")
            else:
                continue
            self._failures += 1
            await self._write_down()

    @property
    def _is_empty(self) -> bool:
        return not self._waiting and not self._sent and not self.journal.waiting

    async def _wait(self) -> None:
        if self._failures:
            longest = min(self.pace.longest_wait_s, self.pace.shortest_wait_s * 2 ** min(self._failures, 10))
            await asyncio.sleep(longest * random.uniform(0.5, 1.0))  # noqa: S311 - Spreads retries, guards nothing.
            return
        if self._closing or self._sent or self.journal.waiting:
            return
        if not self._introduced:
            return
        try:
            async with asyncio.timeout(self.pace.sign_of_life_s):
                await self._kick.wait()
        except TimeoutError:
            return
        await asyncio.sleep(self.pace.batch_after_s)

    async def _deliver(self) -> None:
        """One batch: the journal before what is newer."""
        if not self._introduced:
            # A process before us may have reported under the same run: we count on from what is known of it.
            self._offset = (await self._post(())).accepted + 1
            self._introduced = True
        most = 1 if self._smallest else _MOST_IN_A_BATCH
        if self.journal.waiting:
            if batch := tuple(await asyncio.to_thread(self.journal.head, most)):
                await self._post(batch, left=self.journal.waiting - len(batch))
                await asyncio.to_thread(self.journal.delivered, batch)
            return
        self._sent = self._sent or self._numbered()
        batch, later = self._sent[:most], self._sent[most:]
        closing = self._closing and not self._waiting and not later
        await self._post(batch, left=len(later), closing=closing)
        self._sent = later

    async def _post(self, batch: tuple[Numbered, ...], *, left: int = 0, closing: bool = False) -> Answer:
        """`left`: how many wait behind these."""
        counted = tuple(each.model_copy(update={"sequence": each.sequence + self._offset}) for each in batch)
        try:
            answer = await self.post(Reports(run=self.run, reports=counted, obeyed=self.obeyed, closing=closing))
        except Undelivered as error:
            if not error.refused:
                raise
            if len(batch) != 1:
                # One of them is refused. They go to the journal, and are sent one by one.
                self._smallest = True
                raise
            log.error("report_refused", kind=batch[0].report.kind, error=error.message)
            self._smallest = left > 0
            return Answer(accepted=batch[0].sequence)
        if self._failures:
            log.info("api_reachable")
        self._failures = 0
        self._smallest = self._smallest and left > 0
        self._said_goodbye = closing
        self._hear(answer)
        return answer

    def _hear(self, answer: Answer) -> None:
        for order in sorted(answer.orders, key=lambda each: each.number):
            if order.number > self._orders_heard:
                self._orders_heard = order.number
                self.on_order(order)
        if answer.over and not self._over:
            self._over = True
            self.on_over()

    def _numbered(self, most: int = _MOST_IN_A_BATCH) -> tuple[Numbered, ...]:
        batch: list[Numbered] = []
        while self._waiting and len(batch) < most:
            batch.append(Numbered(sequence=self._sequence, report=self._waiting.popleft()))
            self._sequence += 1
        self._volatile = sum(isinstance(each, VOLATILE) for each in self._waiting)
        if not self._waiting:
            self._kick.clear()
        return tuple(batch)

    async def _write_down(self) -> None:
        """Everything that must be kept goes to disk, in order; what is only shown live is let go."""
        self._waiting = deque(each for each in self._waiting if not isinstance(each, VOLATILE))
        batch = [each for each in self._sent if not isinstance(each.report, VOLATILE)]
        self._sent = ()
        batch += self._numbered(most=len(self._waiting))
        if not batch:
            return
        try:
            await asyncio.to_thread(self.journal.append, batch)
        except OSError as error:
            # Neither the API nor the disk takes them. They stay in memory, where there is still a chance.
            log.error("journal_not_written", error=str(error))
            self._sent = tuple(batch)
