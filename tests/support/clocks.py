"""A clock that goes where a test puts it."""

from datetime import UTC, datetime, timedelta


class SetClock:
    def __init__(self, at: datetime) -> None:
        self._at = at

    @classmethod
    def from_now(cls) -> "SetClock":
        return cls(datetime.now(UTC))

    def now(self) -> datetime:
        return self._at

    def pass_by(self, **length: float) -> None:
        """As `timedelta` is told: `pass_by(hours=1)`."""
        self._at += timedelta(**length)
