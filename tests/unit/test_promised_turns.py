"""Whose turn to dial is known without looking: `telephony/pace.py`."""

from rymi_server.foundation.ids import LegId
from rymi_server.telephony.pace import Pace, Promised

PACE = Pace("noted:1", 2.0, refuses_excess=True)


def leg(number: int) -> LegId:
    return LegId(f"leg_{number}")


class TestPromised:
    def test_is_known_once(self) -> None:
        promised = Promised()
        promised.keep(leg(1), PACE)
        assert (promised.taken(leg(1)), promised.taken(leg(1))) == (PACE, None)

    def test_keeps_the_newest_of_many(self) -> None:
        promised = Promised(most=2)
        for number in (1, 2, 3):
            promised.keep(leg(number), PACE)
        assert [promised.taken(leg(number)) for number in (1, 2, 3)] == [None, PACE, PACE]

    def test_counts_who_is_promised_again_once(self) -> None:
        promised = Promised(most=2)
        for number in (1, 2, 2):
            promised.keep(leg(number), PACE)
        assert [promised.taken(leg(number)) for number in (1, 2)] == [PACE, PACE]
