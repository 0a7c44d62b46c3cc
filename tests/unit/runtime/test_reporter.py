"""Reports on their way to an API that is away, slow, or of another opinion."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.roomlet.waiting import eventually

from rymi_server.runtime.reporting.journal import Address, Journal
from rymi_server.runtime.reporting.reporter import Pace, Reporter, Undelivered
from rymi_server.runtime.reports import (
    AgentState,
    Answer,
    AnyReport,
    Drafted,
    HandoffWanted,
    Happened,
    Line,
    Order,
    Remembered,
    Reports,
    Said,
)

ADDRESS = Address("http://nowhere", "call", "token", "run")


def said(text: str) -> Said:
    return Said(line=Line(speaker="agent", text=text, started_at_ms=0, ended_at_ms=1), segment_id="s")


@dataclass
class FakeApi:
    """Takes every report once, whatever is sent twice."""

    away: bool = False
    loses_answers: bool = False
    refuses: Callable[[AnyReport], bool] = lambda _: False
    orders: tuple[Order, ...] = ()
    over: bool = False
    taken: dict[int, AnyReport] = field(default_factory=dict)
    calls: int = 0
    empty: int = 0
    last: Reports = field(default_factory=lambda: Reports(run="none"))

    async def __call__(self, batch: Reports) -> Answer:
        self.calls += 1
        await asyncio.sleep(0)
        if self.away:
            raise Undelivered("it is away")
        if any(self.refuses(each.report) for each in batch.reports):
            raise Undelivered("it will not have that", refused=True)
        self.empty += not batch.reports
        self.last = batch
        for each in batch.reports:
            self.taken.setdefault(each.sequence, each.report)
        if self.loses_answers:
            self.loses_answers = False
            raise Undelivered("the answer was lost")
        return Answer(accepted=max(self.taken, default=-1), over=self.over, orders=self.orders)

    @property
    def texts(self) -> list[str]:
        return [each.line.text for _, each in sorted(self.taken.items()) if isinstance(each, Said)]


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "call.run.reports.jsonl", ADDRESS)


async def running(api: FakeApi, journal: Journal, sign_of_life_s: float = 2.0) -> Reporter:
    pace = Pace(0.05, sign_of_life_s, shortest_wait_s=0.01, longest_wait_s=0.05, closes_within_s=0.5)
    reporter = Reporter(api, "run", journal, pace=pace)
    reporter.start()
    return reporter


class TestTheReporter:
    async def test_sends_what_comes_together_in_one_batch(self, journal: Journal) -> None:
        api = FakeApi()
        reporter = await running(api, journal)
        for number in range(20):
            reporter.send(said(str(number)))
        await eventually("all are there", lambda: len(api.taken) == 20)
        assert api.calls <= 2
        await reporter.aclose()
        assert not journal.path.exists()

    async def test_loses_nothing_while_the_api_is_away(self, journal: Journal) -> None:
        api = FakeApi()
        reporter = await running(api, journal)
        reporter.send(said("0"))
        await eventually("the first is there", lambda: api.taken)
        api.away = True
        for number in range(1, 700):
            reporter.send(said(str(number)))
            if number % 100 == 0:
                await asyncio.sleep(0.03)
        await eventually("it is written down", lambda: journal.waiting > 600)
        assert len(reporter._waiting) < 100
        api.away = False
        await eventually("all are there", lambda: len(api.texts) == 700)
        assert api.texts == [str(number) for number in range(700)]
        await eventually("the journal is gone", lambda: not journal.path.exists())
        reporter.send(said("after"))
        await eventually("it goes on", lambda: api.texts[-1] == "after")
        await reporter.aclose()

    async def test_sends_again_what_may_have_been_taken(self, journal: Journal) -> None:
        api = FakeApi(loses_answers=True)
        reporter = await running(api, journal)
        reporter.send(said("once"))
        await eventually("it is settled", lambda: api.calls >= 2 and not journal.waiting)
        assert api.texts == ["once"]
        await reporter.aclose()

    async def test_lets_go_only_of_what_is_shown_live(self, journal: Journal) -> None:
        api = FakeApi(away=True)
        reporter = await running(api, journal)
        draft = Drafted(line=said("draft").line, segment_id="s")
        for number in range(400):
            reporter.send(draft)
            reporter.send(AgentState(state="thinking", at_ms=number))
            reporter.send(said(str(number)))
        await eventually("it is written down", lambda: journal.waiting == 400)
        api.away = False
        await eventually("all are there", lambda: len(api.texts) == 400)
        await reporter.aclose()

    async def test_counts_on_from_a_process_that_died_under_the_same_run(self, journal: Journal) -> None:
        api = FakeApi(taken={number: said(f"before {number}") for number in range(3)}, away=True)
        reporter = await running(api, journal)
        reporter.send(said("mine"))
        await eventually("it is written down", lambda: journal.waiting)
        api.away = False
        await eventually("it is there", lambda: api.texts[-1] == "mine")
        assert len(api.texts) == 4
        await reporter.aclose()

    async def test_says_that_it_goes(self, journal: Journal) -> None:
        api = FakeApi()
        reporter = await running(api, journal)
        reporter.send(said("goodbye"))
        reporter.obeyed = 7
        await reporter.aclose()
        assert api.texts == ["goodbye"]
        assert (api.last.closing, api.last.obeyed) == (True, 7)

    async def test_gives_signs_of_life(self, journal: Journal) -> None:
        api = FakeApi()
        reporter = await running(api, journal, sign_of_life_s=0.05)
        await eventually("it has lived three times", lambda: api.empty >= 3)
        await reporter.aclose()

    async def test_tells_each_order_once_and_the_end_once(self, journal: Journal) -> None:
        api = FakeApi(orders=(Order(number=2, kind="say", text="b"), Order(number=1, kind="say", text="a")))
        reporter = await running(api, journal)
        heard: list[str] = []
        ends: list[int] = []
        reporter.on_order = lambda order: heard.append(order.text)
        reporter.on_over = lambda: ends.append(1)
        for _ in range(3):
            reporter.send(said("x"))
            calls = api.calls
            await eventually("it was sent", lambda calls=calls: api.calls > calls)
        api.over = True
        for _ in range(2):
            reporter.send(said("x"))
            calls = api.calls
            await eventually("it was sent", lambda calls=calls: api.calls > calls)
        await eventually("it is over", lambda: ends)
        assert (heard, ends) == (["a", "b"], [1])
        await reporter.aclose()

    async def test_leaves_out_the_one_report_that_is_refused(self, journal: Journal) -> None:
        api = FakeApi(refuses=lambda report: isinstance(report, Happened))
        reporter = await running(api, journal)
        reporter.send(said("before"))
        reporter.send(Happened(message="nobody wants this"))
        reporter.send(said("after"))
        await eventually("the others are there", lambda: api.texts == ["before", "after"])
        reporter.send(said("later"))
        await eventually("it goes on", lambda: api.texts[-1] == "later")
        await reporter.aclose()

    async def test_leaves_a_journal_that_others_can_deliver(self, journal: Journal) -> None:
        api = FakeApi(away=True)
        reporter = await running(api, journal)
        reporter.send(said("last words"))
        await eventually("it is written down", lambda: journal.waiting)
        with pytest.raises(BlockingIOError):
            Journal.left_at(journal.path)
        await reporter.aclose()
        left = Journal.left_at(journal.path)
        assert left.address == ADDRESS
        assert [each.report for each in left.head(10)] == [said("last words")]
        left.delivered(left.head(10))
        assert not journal.path.exists()

    async def test_keeps_in_memory_what_no_disk_takes(self, tmp_path: Path) -> None:
        api = FakeApi(away=True)
        reporter = await running(api, Journal(tmp_path / "no folder" / "journal", ADDRESS))
        for number in range(700):
            reporter.send(said(str(number)))
        calls = api.calls
        await eventually("it has tried in vain", lambda: api.calls > calls + 2)
        api.away = False
        await eventually("all are there", lambda: api.texts == [str(number) for number in range(700)])
        await reporter.aclose()

    async def test_leaves_out_the_one_report_that_is_refused_where_no_disk_takes_any(self, tmp_path: Path) -> None:
        api = FakeApi(refuses=lambda report: isinstance(report, Happened))
        reporter = await running(api, Journal(tmp_path / "no folder" / "journal", ADDRESS))
        for report in (said("before"), Happened(message="nobody wants this"), said("after")):
            reporter.send(report)
        await eventually("the others are there", lambda: api.texts == ["before", "after"])
        reporter.send(Happened(message="nor this"))
        await reporter.aclose()
        assert api.last.closing

    async def test_goes_on_after_a_fault_of_whoever_it_tells(self, journal: Journal) -> None:
        def fail(_: Order) -> None:
            raise RuntimeError("a fault in the call")

        api = FakeApi(orders=(Order(number=1, kind="say", text="a"),))
        reporter = await running(api, journal, sign_of_life_s=0.05)
        heard: list[str] = []
        reporter.on_order = fail
        await eventually("it was ordered about", lambda: api.calls)
        reporter.on_order = lambda order: heard.append(order.text)
        api.orders = (Order(number=1, kind="say", text="a"), Order(number=2, kind="say", text="b"))
        reporter.send(said("after"))
        await eventually("it is sent", lambda: api.texts == ["after"])
        await eventually("it hears what is ordered next", lambda: heard == ["b"])
        await reporter.aclose()

    async def test_writes_down_what_waits_whatever_became_of_it(self, journal: Journal) -> None:
        api = FakeApi(away=True)
        reporter = await running(api, journal)
        assert reporter._task
        reporter._task.cancel()
        await eventually("it has ended", reporter._task.done)
        reporter.send(said("last words"))
        await reporter.aclose()
        assert [each.report for each in Journal.left_at(journal.path).head(10)] == [said("last words")]


class TestAReport:
    def test_loses_a_character_that_nobody_can_write_down_and_no_more(self) -> None:
        assert said("wants a lamp \ud83d\0") == said("wants a lamp ?")
        assert HandoffWanted(briefing="a lamp \ud83d").briefing == "a lamp ?"
        assert Remembered(memory={"k\0": ["\ud83d", {"a": 1}]}).memory == {"k": ["?", {"a": 1}]}
