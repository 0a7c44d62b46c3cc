"""English as people say it: `foundation/spoken`."""

from datetime import date, time

import pytest

from rymi_server.foundation.spoken.agreement import yes_or_no
from rymi_server.foundation.spoken.days import days, spoken_day, spoken_time, times
from rymi_server.foundation.spoken.names import mail_address, name, spoken_mail_address
from rymi_server.foundation.spoken.numbers import (
    digit_by_digit,
    in_words,
    ordinal_in_words,
    phone_digits,
    quantities,
    with_numbers,
)

MONDAY = date(2026, 3, 2)


class TestDigits:
    @pytest.mark.parametrize(
        ("said", "digits"),
        [
            ("my number is five five five five one two three four five six seven", "55551234567"),
            ("it's 555-123-4567", "5551234567"),
            ("double five five one two three four", "5551234"),
            ("call me on five five five twelve thirty four fifty six", "555123456"),
            ("+1 (202) 555-0100", "12025550100"),
            ("eight hundred five five five one two three four", "8005551234"),
            ("oh two oh seven nine four six", "0207946"),
            ("I have two kids", None),
            ("one two three", None),
        ],
    )
    def test_are_heard_as_a_phone_number(self, said: str, digits: str | None) -> None:
        assert phone_digits(said) == digits

    def test_are_read_in_groups(self) -> None:
        assert digit_by_digit("5551234") == "five five five, one two three four"


class TestQuantities:
    @pytest.mark.parametrize(
        ("said", "values"),
        [
            ("two hundred and forty dollars", [240]),
            ("about $1,250.50", [1250.5]),
            ("three or four", [3, 4]),
            ("nine and fifteen thousand", [9, 15_000]),
            ("two thousand and six", [2006]),
            ("5 thousand", [5_000]),
            ("none", []),
        ],
    )
    def test_are_found(self, said: str, values: list[float]) -> None:
        assert [each.value for each in quantities(with_numbers(said))] == values

    def test_are_written_out(self) -> None:
        assert [in_words(n) for n in (0, 21, 1_250, 2_000_003)] == [
            "zero",
            "twenty one",
            "one thousand two hundred fifty",
            "two million three",
        ]
        assert [ordinal_in_words(n) for n in (1, 20, 21, 100)] == [
            "first",
            "twentieth",
            "twenty first",
            "one hundredth",
        ]


class TestYesOrNo:
    @pytest.mark.parametrize(
        ("said", "agreed"),
        [
            ("yes", True),
            ("yes but not on monday", True),
            ("no problem go ahead", True),
            ("why not", True),
            ("yeah no that's fine", True),
            ("no, that's right", True),
            ("sure, that works", True),
            ("no thanks", False),
            ("not really", False),
            ("that's not right", False),
            ("I don't think so", False),
            ("no it's wednesday", False),
            ("I'm not sure", False),
            ("maybe tomorrow", None),
            ("", None),
        ],
    )
    def test_is_told_apart(self, said: str, agreed: bool | None) -> None:
        assert yes_or_no(said) is agreed


class TestNames:
    @pytest.mark.parametrize(
        ("said", "introduced", "answered"),
        [
            ("my name is sarah miller", "Sarah Miller", "Sarah Miller"),
            ("this is John Smith calling from Acme", "John Smith", "John Smith"),
            ("sarah miller", None, "Sarah Miller"),
            ("Yes, Peter Novak", None, "Peter Novak"),
            ("I'm Anna-Lena", "Anna-Lena", "Anna-Lena"),
            ("my name is johnson it's", "Johnson", "Johnson"),
            ("I'm not interested", None, None),
            ("call me maybe", None, None),
            ("I'd like to talk to a human", None, None),
            ("what does it cost", None, None),
            ("it's too expensive", None, None),
            ("it's for Tuesday", None, None),
        ],
    )
    def test_are_taken_only_where_they_are_names(self, said: str, introduced: str | None, answered: str | None) -> None:
        assert name(said) == introduced
        assert name(said, asked=True) == answered

    @pytest.mark.parametrize(
        ("said", "address"),
        [
            ("my email is john at example dot com", "john@example.com"),
            ("it's mary dot smith at gmail dot com", "mary.smith@gmail.com"),
            ("jane.doe@example.org", "jane.doe@example.org"),
            ("look at that", None),
        ],
    )
    def test_mail_addresses_are_heard(self, said: str, address: str | None) -> None:
        assert mail_address(said) == address

    def test_mail_addresses_are_read_back(self) -> None:
        assert spoken_mail_address("a.b_c@x-y.com") == "a dot b underscore c at x dash y dot com"


class TestDays:
    @pytest.mark.parametrize(
        ("said", "found"),
        [
            ("next tuesday at three", ["2026-03-10"]),
            ("monday the fifth of june", ["2026-06-05"]),
            ("the day after tomorrow", ["2026-03-04"]),
            ("in two weeks", ["2026-03-16"]),
            ("march 15th at 10 am", ["2026-03-15"]),
            ("on the twenty first", ["2026-03-21"]),
            ("the first", ["2026-04-01"]),
            ("january third", ["2027-01-03"]),
            ("this friday or on monday", ["2026-03-06", "2026-03-09"]),
            ("2026-03-10 please", ["2026-03-10"]),
            ("february thirtieth", []),
            ("I was there last tuesday", []),
            ("i may come on second thought", []),
            ("not now", []),
            ("the first week of april", []),
        ],
    )
    def test_are_reckoned_from_today(self, said: str, found: list[str]) -> None:
        assert [each.day.isoformat() for each in days(said, MONDAY)] == found

    def test_are_read_back_as_people_say_them(self) -> None:
        spoken = [spoken_day(date(2026, 3, day), MONDAY) for day in (2, 3, 5, 20)]
        assert spoken == ["today, Monday", "tomorrow, Tuesday", "Thursday", "Friday the twentieth of March"]


class TestTimes:
    @pytest.mark.parametrize(
        ("said", "unasked", "asked"),
        [
            ("at three", ["15:00"], ["15:00"]),
            ("half past nine", ["09:30"], ["09:30"]),
            ("quarter to four", ["15:45"], ["15:45"]),
            ("three thirty", ["15:30"], ["15:30"]),
            ("12:30", ["12:30"], ["12:30"]),
            ("10 o'clock in the morning", ["10:00"], ["10:00"]),
            ("at 4pm", ["16:00"], ["16:00"]),
            ("at noon", ["12:00"], ["12:00"]),
            ("nine", [], ["09:00"]),
            ("two people", [], ["14:00"]),
        ],
    )
    def test_need_a_mark_unless_a_time_was_asked_for(self, said: str, unasked: list[str], asked: list[str]) -> None:
        assert [each.at.strftime("%H:%M") for each in times(said) if each.at] == unasked
        assert [each.at.strftime("%H:%M") for each in times(said, asked=True) if each.at] == asked

    def test_may_be_a_part_of_the_day(self) -> None:
        assert [(each.at, each.period) for each in times("tomorrow morning")] == [(None, "morning")]
        assert times("good morning") == []

    def test_are_read_back_as_people_say_them(self) -> None:
        spoken = [spoken_time(time(*at)) for at in ((9, 5), (12, 0), (15, 30), (19, 0))]
        assert spoken == [
            "nine oh five in the morning",
            "noon",
            "three thirty in the afternoon",
            "seven in the evening",
        ]


class TestHostileText:
    @pytest.mark.parametrize(
        "piece", ["at ", "dot ", "a@", "one ", "hundred ", "half past ", "1,", "$1", "is ", "my name is "]
    )
    def test_is_read_in_time(self, piece: str) -> None:
        text = piece * (20_000 // len(piece))
        list(quantities(with_numbers(text)))
        days(text, MONDAY)
        times(text, asked=True)
        assert name(text, asked=True) is None or len(text) > 1
        assert mail_address(text) is None or "@" in text or "dot" in text
        assert yes_or_no(text) in {True, False, None}
