"""When an owner is told of a balance."""

from decimal import Decimal

import pytest

from rymi_server.credits.warning import is_news, lowest_crossed

BOTH = (Decimal(10), Decimal(3))


class TestLowestCrossed:
    @pytest.mark.parametrize(
        ("balance", "crossed"),
        [("10", None), ("9.99", "10"), ("3", "10"), ("2.99", "3"), ("0.000001", "3"), ("0", "0"), ("-1", "0")],
    )
    def test_is_the_lowest_threshold_that_the_balance_is_below(self, balance: str, crossed: str | None) -> None:
        assert lowest_crossed(Decimal(balance), BOTH) == (Decimal(crossed) if crossed else None)

    def test_without_thresholds_is_only_the_end(self) -> None:
        assert lowest_crossed(Decimal("0.01"), ()) is None
        assert lowest_crossed(Decimal(0), ()) == 0


class TestIsNews:
    def test_is_what_got_worse(self) -> None:
        assert is_news(Decimal(10), None)
        assert is_news(Decimal(3), Decimal(10))
        assert is_news(Decimal(0), Decimal(3))

    def test_is_not_what_is_known_or_got_better(self) -> None:
        assert not is_news(None, None)
        assert not is_news(None, Decimal(3))
        assert not is_news(Decimal(3), Decimal(3))
        assert not is_news(Decimal(10), Decimal(3))
        assert not is_news(Decimal(3), Decimal(0))
