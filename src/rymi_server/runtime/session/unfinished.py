"""Somebody was not done when they stopped: for how long they are waited for, and what comes of it."""

from dataclasses import dataclass

from rymi_server.runtime.thinking.turn_marks import Judged, TurnCompletion


@dataclass(slots=True)
class Unfinished:
    """Of a mind that tells; one without `completion` never does."""

    completion: TurnCompletion | None
    # Of the answer that was thought of last, until it is given.
    _judged: Judged = Judged.DONE
    _waits_s: float | None = None
    _quiet_since: float | None = None

    def judge(self, judged: Judged) -> None:
        self._judged = judged

    def answer_given(self) -> float | None:
        """For how long the caller is waited for now; None where nothing was left open."""
        judged, self._judged = self._judged, Judged.DONE
        self._quiet_since = None
        self._waits_s = self.completion.seconds(judged) if self.completion else None
        return self._waits_s

    def over(self) -> None:
        """They have gone on, or something else has."""
        self._waits_s = None

    def broken(self) -> None:
        """Somebody is heard. Perhaps they go on."""
        self._quiet_since = None

    def due(self, now: float) -> str | None:
        """What the mind is told, once, when nobody has been heard for as long as they were to be waited for."""
        if self.completion is None or self._waits_s is None:
            return None
        if self._quiet_since is None:
            self._quiet_since = now
        if now - self._quiet_since < self._waits_s:
            return None
        self._waits_s = None
        return self.completion.go_on
