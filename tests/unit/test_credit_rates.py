"""How a call's length becomes a bill: `credits/rates.py`."""

from decimal import Decimal

import pytest

from rymi_server.credits.rates import Rates, RoleRate, bill, bill_seconds

OPERATOR = RoleRate("Operator", Decimal("0.05"))
EXECUTIVE = RoleRate("Executive", Decimal("0.25"))


class TestBillSeconds:
    @pytest.mark.parametrize(
        ("connected", "billed"), [(0, 30), (0.2, 30), (30, 30), (30.001, 60), (31, 60), (60, 60), (299.9, 300)]
    )
    def test_rounds_up_to_half_minutes(self, connected: float, billed: int) -> None:
        assert bill_seconds(connected) == billed


class TestBill:
    def test_charges_the_rate_for_the_billed_time(self) -> None:
        assert bill(145, OPERATOR.per_minute) == (150, Decimal("0.125"))

    def test_charges_nothing_for_a_call_that_nobody_got_into(self) -> None:
        assert bill(None, EXECUTIVE.per_minute) == (0, Decimal(0))


class TestRates:
    def test_prices_an_unknown_role_as_the_plainest(self) -> None:
        rates = Rates({"operator": OPERATOR, "executive": EXECUTIVE})
        assert rates.of("concierge") is OPERATOR
        assert rates.of("executive").increment == Decimal("0.125")

    def test_shows_the_published_price_a_second(self) -> None:
        assert OPERATOR.per_second == Decimal("0.00083333")
        assert EXECUTIVE.per_second == Decimal("0.00416667")
