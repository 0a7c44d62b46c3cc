"""What a disk keeps of reports, also one that is full."""

import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from rymi_server.runtime.reporting.journal import Address, Journal
from rymi_server.runtime.reports import Line, Numbered, Remembered, Said


def said(number: int) -> Numbered:
    line = Line(speaker="agent", text=f"line {number}", started_at_ms=0, ended_at_ms=1)
    return Numbered(sequence=number, report=Said(line=line, segment_id="s"))


@contextlib.contextmanager
def disk_takes_files_up_to(size: int) -> Iterator[None]:
    """A write that goes beyond is written in part, and the next one fails: as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "call.run.reports.jsonl", Address("http://nowhere", "call", "token", "run"))
    yield journal
    journal.let_go()


class TestAJournal:
    def test_holds_whole_lines_after_a_disk_was_full(self, journal: Journal) -> None:
        journal.append([said(0)])
        with disk_takes_files_up_to(journal.path.stat().st_size + 20), pytest.raises(OSError, match="too large"):
            journal.append([said(1), said(2)])
        journal.append([said(1), said(2), said(3)])
        assert journal.waiting == 4
        assert journal.head(10) == [said(0), said(1), said(2), said(3)]

    def test_says_whose_it_is_also_where_its_first_line_did_not_fit(self, journal: Journal) -> None:
        with disk_takes_files_up_to(20), pytest.raises(OSError, match="too large"):
            journal.append([said(0)])
        journal.append([said(0)])
        journal.let_go()
        left = Journal.left_at(journal.path)
        assert (left.address, left.head(10)) == (journal.address, [said(0)])
        left.let_go()

    def test_gives_what_lies_around_a_line_that_cannot_be_read(self, journal: Journal) -> None:
        journal.append([said(0)])
        with journal.path.open("a") as file:
            file.write('{"sequence":1,"rep{"sequence":1}\n')
        journal.append([said(2)])
        journal.let_go()
        left = Journal.left_at(journal.path)
        found = []
        while left.waiting and (batch := left.head(10)):
            found += batch
            left.delivered(batch)
        assert found == [said(0), said(2)]
        assert not left.path.exists()

    def test_is_gone_once_nothing_in_it_can_be_read(self, journal: Journal) -> None:
        journal.append([said(0)])
        journal.path.write_text(journal.path.read_text().replace("said", "sung"))
        assert journal.head(10) == []
        assert journal.waiting == 0
        assert not journal.path.exists()

    def test_leaves_out_the_one_report_that_is_no_json(self, journal: Journal) -> None:
        journal.append([said(0), Numbered(sequence=1, report=Remembered(memory={"a": object()})), said(2)])
        assert journal.waiting == 2
        assert journal.head(10) == [said(0), said(2)]
