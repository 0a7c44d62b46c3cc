"""When a number may be rung: `telephony/calling_hours.py`."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rymi_server.telephony.calling_hours import EVERY_DAY, CallingHours, next_opening, zones_of

NEW_YORK, LOS_ANGELES, KOLKATA = ZoneInfo("America/New_York"), ZoneInfo("America/Los_Angeles"), ZoneInfo("Asia/Kolkata")
DAY = CallingHours(8 * 60, 21 * 60)
ZONES = st.sampled_from([NEW_YORK, LOS_ANGELES, KOLKATA, ZoneInfo("UTC"), ZoneInfo("Australia/Lord_Howe")])


def at(text: str, zone: ZoneInfo) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


class TestNextOpening:
    @pytest.mark.parametrize(
        ("now", "opening"),
        [
            ("2026-03-02 08:00", "2026-03-02 08:00"),
            ("2026-03-02 20:59", "2026-03-02 20:59"),
            ("2026-03-02 21:00", "2026-03-03 08:00"),
            ("2026-03-02 07:59", "2026-03-02 08:00"),
            # The clocks go forward in the night between.
            ("2026-03-07 22:00", "2026-03-08 08:00"),
        ],
    )
    def test_is_now_or_the_next_morning_there(self, now: str, opening: str) -> None:
        assert next_opening(DAY, [NEW_YORK], at(now, NEW_YORK)) == at(opening, NEW_YORK)

    def test_skips_days_that_are_not_for_calling(self) -> None:
        weekdays = CallingHours(9 * 60, 17 * 60, (1, 2, 3, 4, 5))
        friday_evening = at("2026-03-06 18:00", NEW_YORK)
        assert next_opening(weekdays, [NEW_YORK], friday_evening) == at("2026-03-09 09:00", NEW_YORK)

    def test_is_a_good_hour_in_all_zones_that_a_number_may_be_in(self) -> None:
        early = at("2026-03-02 08:30", NEW_YORK)
        assert next_opening(DAY, [NEW_YORK, LOS_ANGELES], early) == at("2026-03-02 08:00", LOS_ANGELES)

    def test_keeps_to_the_first_zone_where_all_of_them_share_no_hour(self) -> None:
        hour = CallingHours(8 * 60, 9 * 60)
        now = at("2026-03-02 12:00", NEW_YORK)
        assert next_opening(hour, [NEW_YORK, KOLKATA], now) == at("2026-03-03 08:00", NEW_YORK)

    @given(
        st.integers(0, 366 * 24 * 60).map(
            lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
        ),
        st.integers(0, 1438),
        st.sets(st.sampled_from(EVERY_DAY), min_size=1),
        ZONES,
    )
    def test_is_never_before_now_and_always_within_the_hours(
        self, now: datetime, opens: int, days: set[int], zone: ZoneInfo
    ) -> None:
        hours = CallingHours(opens, min(opens + 60, 1440), tuple(days))
        opening = next_opening(hours, [zone], now)
        assert opening >= now
        assert hours.include(opening.astimezone(zone))


class TestZonesOf:
    def test_knows_where_a_number_is(self) -> None:
        assert [zone.key for zone in zones_of("+12125550123")] == ["America/New_York"]
        assert [zone.key for zone in zones_of("+919876543210")] == ["Asia/Calcutta"]

    def test_knows_all_zones_of_a_number_without_a_place(self) -> None:
        assert len(zones_of("+18005550123")) > 4

    def test_falls_back_on_utc(self) -> None:
        assert [zone.key for zone in zones_of("+88312345678901")] == ["UTC"]
