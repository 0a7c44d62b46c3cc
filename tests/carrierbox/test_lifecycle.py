"""The pure rules: which states follow which, whose turn it is to dial, and what is remembered. No clock runs here."""

from datetime import UTC, datetime

import pytest

from carrierbox.calls.call import Call
from carrierbox.calls.ledger import BoxIsFull, Ledger, NoSuchCall
from carrierbox.calls.lifecycle import Direction, State, follows
from carrierbox.calls.rate import RollingSecond, TurnQueue
from carrierbox.numbers import to_e164

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def call(call_id: str, account: str = "AC1") -> Call:
    return Call(call_id, "twilio", account, Direction.OUTBOUND, "+12025550151", "+12025550100", NOON, None)


def ended(call_id: str) -> Call:
    over = call(call_id)
    over.heard.start(10)
    over.heard.add(None)
    over.state = State.ENDED
    return over


class TestACallsLife:
    def test_only_moves_on(self) -> None:
        assert follows(State.QUEUED, State.INITIATED)
        assert follows(State.INITIATED, State.IN_PROGRESS)
        assert not follows(State.IN_PROGRESS, State.RINGING)

    @pytest.mark.parametrize("state", list(State))
    def test_can_end_from_anywhere_but_the_end(self, state: State) -> None:
        assert follows(state, State.ENDED) is (state is not State.ENDED)

    def test_is_billed_by_begun_seconds_from_the_answer(self) -> None:
        answered = call("CA1")
        assert answered.duration_s == 0
        answered.answered_at, answered.ended_at = NOON, NOON.replace(second=2, microsecond=1)
        assert answered.duration_s == 3


class TestTheTurnQueue:
    def test_spaces_calls_evenly_and_accounts_apart(self) -> None:
        turns = TurnQueue()
        assert [turns.wait_s("twilio", "AC1", 2, 100.0) for _ in range(4)] == [0, 0.5, 1.0, 1.5]
        assert turns.wait_s("twilio", "AC2", 2, 100.0) == 0

    def test_saves_no_turns_up(self) -> None:
        turns = TurnQueue()
        turns.wait_s("twilio", "AC1", 1, 100.0)
        assert [turns.wait_s("twilio", "AC1", 1, 200.0) for _ in range(2)] == [0, 1]


class TestTheRollingSecond:
    def test_refuses_the_fourth_within_any_second(self) -> None:
        lately = RollingSecond()
        assert [lately.admits("a", 3, now) for now in (0.0, 0.4, 0.9, 0.99, 1.01, 1.3, 1.41)] == [
            True,
            True,
            True,
            False,
            True,
            False,
            True,
        ]


class TestTheLedger:
    def test_refuses_more_live_calls_than_its_cap(self) -> None:
        ledger = Ledger(2, 10, 10)
        ledger.enter(call("1"))
        ledger.enter(ended("2"))
        ledger.enter(call("3"))
        with pytest.raises(BoxIsFull, match="at most 2 calls"):
            ledger.enter(call("4"))

    def test_forgets_the_oldest_ended_calls_and_never_a_live_one(self) -> None:
        ledger = Ledger(10, 2, 10)
        ledger.enter(call("live"))
        for number in range(4):
            ledger.enter(ended(str(number)))
        assert [known.id for known in ledger.newest_first()] == ["3", "2", "live"]

    def test_forgets_the_sound_of_calls_before_their_facts(self) -> None:
        ledger = Ledger(10, 10, 1)
        for number in range(3):
            ledger.enter(ended(str(number)))
        assert [len(ledger.get(str(number)).heard) for number in range(3)] == [0, 0, 160]

    def test_shows_an_account_only_its_own_calls(self) -> None:
        ledger = Ledger(10, 10, 10)
        ledger.enter(call("1", "AC1"))
        with pytest.raises(NoSuchCall):
            ledger.find("1", "twilio", "AC2")
        with pytest.raises(NoSuchCall):
            ledger.find("1", "plivo", "AC1")
        assert ledger.find("1", "twilio", "AC1").id == "1"


class TestANumber:
    @pytest.mark.parametrize("raw", ["+12025550100", "12025550100", "+1 (202) 555-0100", "1.202.555.0100"])
    def test_is_forgiven_its_punctuation(self, raw: str) -> None:
        assert to_e164(raw) == "+12025550100"

    @pytest.mark.parametrize(
        "raw",
        [
            "",
            "abc",
            "+0123456789",
            "12",
            "+1234567890123456",
            "+12025550100\n1",
            "1\u0662\u0660\u0662\u0665\u0665\u0665\u0660",
        ],
    )
    def test_is_refused_if_no_phone_could_have_it(self, raw: str) -> None:
        assert to_e164(raw) is None
