"""Brings everybody's speech and words together: attributes them, decides what counts, and tells it in order.

Reads no clock but the one that it is given, and starts nothing: whoever owns it calls `tick` while time passes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from rymi_server.foundation.spoken.labels import labelled
from rymi_server.runtime.hearing.backchannels import is_backchannel
from rymi_server.runtime.hearing.floor import Change, Floor, Opened, Patience
from rymi_server.runtime.hearing.happenings import (
    BargedIn,
    DraftHeard,
    FloorClosed,
    FloorOpened,
    GuessHeard,
    Happening,
    NotUnderstood,
    SpeakingChanged,
    StillSpeaking,
    TurnEnded,
    Utterance,
    WordsHeard,
)
from rymi_server.runtime.turn_taking.interruption import Interruption
from rymi_server.runtime.turn_taking.signals import Began, Ended, EngineUsed
from rymi_server.speech_engines.promises import Expected, Heard

REMIND_EVERY_S = 0.1
# The end of what the agent says: whoever says yes over it answers, and does not only listen.
_LAST_WORDS_MS = 1_200
# A cough or a click is drafted as one word; so many were spoken.
_SPOKEN_WORDS = 2


@dataclass(slots=True)
class _Person:
    segment: int = 0
    segment_id: str = ""
    began_at_ms: int = 0
    speaking: bool = False
    over_agent: bool = False
    draft: str = ""
    # Utterances that have ended and whose words are not in yet, oldest first; until then as they were drafted.
    ended: list[Utterance] = field(default_factory=list)


@dataclass(slots=True)
class Hub:
    """`now` is a steady clock in seconds, `call_ms` the call's. `agent_left_ms` says how much of what the agent is
    saying is still to come; None while it is silent. `name_of` is how a person is called towards the agent. Words of
    which a recogniser is less sure than `sure_from`, between 0 and 1, are written down and not answered."""

    tell: Callable[[Happening], None]
    now: Callable[[], float]
    call_ms: Callable[[], int]
    agent_left_ms: Callable[[], int | None] = field(default=lambda: None)
    name_of: Callable[[str], str] = field(default=lambda identity: identity)
    patience: Patience = field(default_factory=Patience)
    interruption: Interruption = field(default_factory=Interruption)
    sure_from: float = 0.0
    expected: Expected | None = None
    _floor: Floor = field(init=False)
    _people: dict[str, _Person] = field(default_factory=dict)
    _known: dict[str, None] = field(default_factory=dict)
    _reminded_at: float = 0.0
    _opened_at: float = 0.0

    def __post_init__(self) -> None:
        self._floor = Floor(self.patience)

    @property
    def somebody_speaks(self) -> bool:
        return self._floor.is_open

    @property
    def known(self) -> Sequence[str]:
        """Everybody who was ever here, in the order of coming."""
        return tuple(self._known)

    def enter(self, identity: str, *, gives_drafts: bool) -> None:
        # Somebody who comes back says things that are new, under ids that are new.
        segment = self._people[identity].segment if identity in self._people else 0
        self._known[identity] = None
        self._people[identity] = _Person(segment)
        self._floor.enter(identity, gives_drafts=gives_drafts)

    def knows(self, identity: str) -> None:
        """Somebody who only writes: from now on it must be said who says what."""
        self._known[identity] = None

    def leave(self, identity: str) -> None:
        person = self._people[identity]
        if person.speaking:
            person.speaking = False
            self.tell(SpeakingChanged(identity, False, self.call_ms()))
        self._apply(self._floor.leave(identity))

    def began(self, identity: str, signal: Began, heard_ms: int) -> None:
        """`heard_ms`: when the frame that shows it was heard."""
        person = self._people[identity]
        left = self.agent_left_ms()
        person.segment += 1
        person.segment_id = f"{identity}-{person.segment}"
        person.began_at_ms = max(0, heard_ms - signal.spoken_ms)
        person.speaking, person.draft = True, ""
        person.over_agent = left is not None and left > _LAST_WORDS_MS
        if left is not None:
            self.tell(BargedIn(identity, self.call_ms()))
        self.tell(SpeakingChanged(identity, True, person.began_at_ms))
        self._apply(self._floor.began(identity, self.now(), signal.spoken_ms))

    def ended(
        self, identity: str, signal: Ended, heard_ms: int, used: EngineUsed, trace: dict[str, float | str]
    ) -> None:
        """The words follow by `verdict`."""
        person = self._people[identity]
        decided = self.call_ms()
        ended_at_ms = max(person.began_at_ms, heard_ms - (signal.at_ms - signal.speech_ended_at_ms))
        utterance = Utterance(identity, person.segment_id, person.draft, "", person.began_at_ms, ended_at_ms)
        person.ended.append(utterance)
        person.speaking = False
        self.tell(SpeakingChanged(identity, False, ended_at_ms))
        self.tell(
            TurnEnded(
                identity,
                used,
                person.began_at_ms,
                ended_at_ms,
                decided,
                signal.why,
                signal.hang_ms,
                signal.hang_reason,
                trace,
            )
        )
        self._apply(self._floor.ended(identity, self.now(), words_follow=True))

    def dropped(self, identity: str) -> None:
        """What began was no speech."""
        self._people[identity].speaking = False
        self.tell(SpeakingChanged(identity, False, self.call_ms()))
        self._apply(self._floor.ended(identity, self.now(), words_follow=False))

    def drafted(self, identity: str, text: str) -> None:
        person = self._people[identity]
        if not text or not person.speaking or text == person.draft:
            return
        person.draft = text
        self._apply(self._floor.drafted(identity, self.now()))
        self.tell(DraftHeard(self._as_it_stands(identity, person)))

    def paused(self, identity: str) -> None:
        """Long enough to think of an answer. Worth it only for one who has the floor alone."""
        person = self._people[identity]
        alone = self._floor.owner == identity and sum(other.speaking for other in self._people.values()) == 1
        guess = self._as_it_stands(identity, person)
        if person.draft and alone and self._counts(person, guess):
            self.tell(GuessHeard(guess))

    def verdict(self, identity: str, heard: Heard) -> None:
        """What the oldest utterance without words was; nothing, if the words are empty."""
        person = self._people[identity]
        utterance = person.ended.pop(0)
        text = " ".join(heard.text.split())
        said = replace(utterance, text=text, labelled=self._labelled(identity, text), confidence=heard.confidence)
        sure = heard.confidence is None or heard.confidence >= self.sure_from
        counts = bool(text) and sure and self._counts(person, said)
        if text:
            self.tell(WordsHeard(said, counts=counts))
        self._apply(self._floor.verdict(identity, self.now(), has_words=counts))
        spoken = max(text, utterance.text, key=len)
        if not (text and sure) and len(spoken.split()) >= _SPOKEN_WORDS:
            self.tell(NotUnderstood(identity))

    def tick(self) -> None:
        now = self.now()
        self._apply(self._floor.tick(now))
        owner = self._floor.owner
        if self._floor.is_open and owner and now - self._reminded_at >= REMIND_EVERY_S:
            self._reminded_at = now
            self.tell(StillSpeaking(owner, round((now - self._opened_at) * 1_000)))

    def _counts(self, person: _Person, said: Utterance) -> bool:
        """Whether this is something to be answered, and neither a sign of listening nor too little to interrupt."""
        if not person.over_agent or self.agent_left_ms() is None:
            return True
        spoken_ms = said.ended_at_ms - said.started_at_ms
        return not is_backchannel(said.text, self.expected) and self.interruption.takes(
            spoken_ms, len(said.text.split())
        )

    def _as_it_stands(self, identity: str, person: _Person) -> Utterance:
        labelled = self._labelled(identity, person.draft)
        return Utterance(identity, person.segment_id, person.draft, labelled, person.began_at_ms, self.call_ms())

    def _labelled(self, identity: str, text: str) -> str:
        names = [self.name_of(each) for each in self._known]
        return labelled(self.name_of(identity), text, names) if len(names) > 1 else text

    def _apply(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if isinstance(change, Opened):
                self._opened_at = self._reminded_at = self.now() - change.spoken_ms / 1_000
                self.tell(FloorOpened(change.identity, change.spoken_ms))
            else:
                ends = [u.ended_at_ms for p in self._people.values() for u in p.ended]
                self.tell(FloorClosed(max(0, self.call_ms() - max(ends)) if ends else 0))
