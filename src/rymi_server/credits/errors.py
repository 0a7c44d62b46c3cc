"""Why a call is not paid for."""

from decimal import Decimal

from rymi_server.foundation.errors import Refused


class InsufficientCredits(Refused):
    status, code = 402, "insufficient_credits"

    def __init__(self, needed: Decimal, available: Decimal) -> None:
        super().__init__(
            f"This needs {needed.normalize():f} USD of credit and {max(available, Decimal(0)).normalize():f} USD is "
            "free. Add credit, or wait for running calls to end.",
            needed_usd=float(needed),
            available_usd=float(max(available, Decimal(0))),
        )
