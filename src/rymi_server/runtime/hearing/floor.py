"""Who holds the floor: when a turn of the people has begun, and when it is over and may be answered.

Everybody's speech counts until all are silent and their words are in. Speech that brings no words stops counting, so
that a television on one line does not keep the others from being answered. Times are seconds of any steady clock.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited for what."""

    for_words_s: float = 0.5  # after speech has ended, for the recogniser's verdict
    without_words_s: float = 2.0  # before speech that brings no words stops counting
    for_others_s: float = 8.0  # while somebody's words wait for an answer, for others to come to an end


@dataclass(frozen=True, slots=True)
class Opened:
    """The people's turn has begun."""

    identity: str
    spoken_ms: int


@dataclass(frozen=True, slots=True)
class Closed:
    """All are silent, and every word that was waited for is in."""


Change = Opened | Closed


@dataclass(slots=True)
class _Speaker:
    gives_drafts: bool
    speaking: bool = False
    holds: bool = False
    since: float = 0.0
    worded_at: float = 0.0
    words_due_at: float | None = None

    def wordless_for(self, now: float) -> float:
        return now - max(self.since, self.worded_at)


@dataclass(slots=True)
class Floor:
    patience: Patience = field(default_factory=Patience)
    _speakers: dict[str, _Speaker] = field(default_factory=dict)
    _is_open: bool = False
    _owner: str | None = None
    # Since when words wait for an answer, by whom they were said.
    _unanswered: dict[str, float] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        return self._is_open

    @property
    def owner(self) -> str | None:
        """One of those who hold the floor."""
        return self._owner

    def holds(self, identity: str) -> bool:
        return identity in self._speakers and self._speakers[identity].holds

    def enter(self, identity: str, *, gives_drafts: bool) -> None:
        self._speakers[identity] = _Speaker(gives_drafts)

    def leave(self, identity: str) -> list[Change]:
        self._speakers.pop(identity, None)
        return self._settled()

    def began(self, identity: str, now: float, spoken_ms: int) -> list[Change]:
        speaker = self._speakers[identity]
        speaker.speaking, speaker.since = True, now
        return self._taken(identity, spoken_ms)

    def ended(self, identity: str, now: float, *, words_follow: bool) -> list[Change]:
        """`words_follow`: the recogniser was asked what it was, and will say so."""
        speaker = self._speakers[identity]
        speaker.speaking = speaker.holds = False
        if words_follow:
            speaker.words_due_at = now + self.patience.for_words_s
        return self._settled()

    def drafted(self, identity: str, now: float) -> list[Change]:
        """Words are coming. Whoever lost the floor for want of words has it again."""
        speaker = self._speakers[identity]
        speaker.worded_at = now
        return self._taken(identity, 0) if speaker.speaking and not speaker.holds else []

    def verdict(self, identity: str, now: float, *, has_words: bool) -> list[Change]:
        """What the recogniser said of speech that has ended. Call it after the words were passed on."""
        if has_words:
            self._unanswered.setdefault(identity, now)
        if identity in self._speakers:
            self._speakers[identity].words_due_at = None
        return self._settled()

    def tick(self, now: float) -> list[Change]:
        """What time alone changes."""
        for identity, speaker in self._speakers.items():
            if speaker.words_due_at is not None and now >= speaker.words_due_at:
                speaker.words_due_at = None
            if speaker.holds and self._lost(identity, speaker, now):
                speaker.holds = False
        return self._settled()

    def _lost(self, identity: str, speaker: _Speaker, now: float) -> bool:
        others = [since for who, since in self._unanswered.items() if who != identity]
        wordless = speaker.wordless_for(now) >= self.patience.without_words_s
        waited = bool(others) and now - min(others) >= self.patience.for_others_s
        return waited or (wordless and (bool(others) or speaker.gives_drafts))

    def _taken(self, identity: str, spoken_ms: int) -> list[Change]:
        self._speakers[identity].holds = True
        if self._owner is None:
            self._owner = identity
        if self._is_open:
            return []
        self._is_open = True
        return [Opened(identity, spoken_ms)]

    def _settled(self) -> list[Change]:
        holders = [identity for identity, speaker in self._speakers.items() if speaker.holds]
        if self._owner not in holders:
            self._owner = holders[0] if holders else None
        awaited = any(speaker.words_due_at is not None for speaker in self._speakers.values())
        if not self._is_open or holders or awaited:
            return []
        self._is_open = False
        self._unanswered.clear()
        return [Closed()]
