"""How fast an account may dial. Some carriers let calls wait their turn, others refuse what comes too soon."""

from collections import deque


class TurnQueue:
    """Gives each call the next free turn: so many a second, evenly spaced."""

    def __init__(self) -> None:
        self._next_free: dict[tuple[str, str], float] = {}

    def wait_s(self, carrier: str, account_id: str, per_second: float, now: float) -> float:
        """Take a turn; the answer is how long it is until it comes."""
        turn = max(now, self._next_free.get((carrier, account_id), now))
        self._next_free[carrier, account_id] = turn + 1 / per_second
        return turn - now


class RollingSecond:
    """Counts what happened within the last second, and refuses what would be too much."""

    def __init__(self) -> None:
        self._lately: dict[str, deque[float]] = {}

    def admits(self, account_id: str, per_second: float, now: float) -> bool:
        lately = self._lately.setdefault(account_id, deque())
        while lately and lately[0] <= now - 1:
            lately.popleft()
        if len(lately) >= per_second:
            return False
        lately.append(now)
        return True
