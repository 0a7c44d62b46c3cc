"""Writes the call down for the API: every line that was said and heard, every turn and where its time went."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from rymi_server.runtime.hearing.happenings import (
    BargedIn,
    DraftHeard,
    Happening,
    SpeakingChanged,
    TurnEnded,
    Utterance,
    WordsHeard,
)
from rymi_server.runtime.reports import AgentState, AnyReport, Drafted, Line, Said, Speaking, TurnTaken
from rymi_server.runtime.session.room_text import PeoplesText
from rymi_server.runtime.speaking.player import RATE, Listener

# Less than this was not heard as an answer, and is not written down as one.
HEARD_FROM_S: Final = 0.3
_LOUD: Final = 200


@dataclass(slots=True)
class Ledger(Listener):
    """`who` turns an identity in the room into a participant's id and the name that it goes by."""

    send: Callable[[AnyReport], None]
    now_ms: Callable[[], int]
    at_ms: Callable[[float], int]
    who: Callable[[str], tuple[str | None, str]]
    text: PeoplesText
    shows_text: bool = True
    _ended: dict[str, TurnEnded] = field(default_factory=dict)
    _turns: int = 0
    _turn: TurnTaken | None = None
    _words_at_ms: int = 0
    _agent_began_ms: int | None = None
    _agent_sounded: bool = False
    _agent_ended_ms: int = 0
    _agent_loud_until: float = 0.0
    _agent_heard_s: float = 0.0
    _answering: bool = False
    # When the voice was asked for what is said next, and when its first sound was there.
    _voice_ms: tuple[int, int] | None = None

    @property
    def heard_s(self) -> float:
        """How much of the agent's words since its last line was heard."""
        return self._agent_heard_s

    # --- people ------------------------------------------------------------------------------------------------------

    def hear(self, happening: Happening) -> None:
        if isinstance(happening, SpeakingChanged):
            participant_id, _ = self.who(happening.identity)
            self.send(Speaking(participant_id=participant_id, speaking=happening.speaking, at_ms=happening.at_ms))
        elif isinstance(happening, DraftHeard):
            if self.shows_text and self.text.drafted(happening.utterance):
                self.send(Drafted(line=self._line(happening.utterance), segment_id=happening.utterance.segment_id))
        elif isinstance(happening, TurnEnded):
            self._ended[happening.identity] = happening
        elif isinstance(happening, WordsHeard):
            self._said(happening)
        elif isinstance(happening, BargedIn) and self._turn and self._turn.answer_pushed_at_ms is not None:
            self._turn = self._turn.model_copy(update={"interrupted_at_ms": happening.at_ms})

    def typed(self, identity: str, text: str) -> None:
        now = self.now_ms()
        participant_id, name = self.who(identity)
        line = Line(
            speaker="user",
            participant_id=participant_id,
            identity=name,
            text=text,
            started_at_ms=now,
            ended_at_ms=now,
        )
        self.send(Said(line=line, segment_id=f"{identity}-typed-{now}"))

    def _said(self, heard: WordsHeard) -> None:
        utterance = heard.utterance
        if self.shows_text:
            self.text.final(utterance)
            self.send(Said(line=self._line(utterance), segment_id=utterance.segment_id))
        if heard.counts and (ended := self._ended.get(utterance.identity)):
            self.close_turn()
            self._turns += 1
            self._words_at_ms = self.now_ms()
            self._turn = TurnTaken(
                turn=self._turns,
                participant_id=self.who(utterance.identity)[0],
                mode=ended.used.mode,
                engine=ended.used.engine,
                fallback=ended.used.fallback,
                started_at_ms=ended.started_at_ms,
                speech_ended_at_ms=ended.speech_ended_at_ms,
                decided_at_ms=ended.decided_at_ms,
                end_reason=ended.why,
                parts={
                    "hang_ms": float(ended.decided_at_ms - ended.speech_ended_at_ms),
                    "words_ms": float(self._words_at_ms - ended.decided_at_ms),
                },
                trace={**ended.trace, "hang_ms": ended.hang_ms, "hang_reason": ended.hang_reason},
            )

    def _line(self, utterance: Utterance) -> Line:
        participant_id, name = self.who(utterance.identity)
        return Line(
            speaker="user",
            participant_id=participant_id,
            identity=name,
            text=utterance.text,
            started_at_ms=max(0, utterance.started_at_ms),
            ended_at_ms=max(0, utterance.ended_at_ms),
        )

    # --- the agent: a listener of its player -------------------------------------------------------------------------

    def began(self, at: float) -> None:
        moment = self.at_ms(at)
        if self._agent_began_ms is None:
            self._agent_began_ms = moment
        self.send(Speaking(participant_id=None, speaking=True, at_ms=moment))
        if self._turn and self._turn.answer_pushed_at_ms is None:
            now = self.now_ms()
            asked_ms, sounded_ms = self._voice_ms or (0, 0)
            parts = {
                **self._turn.parts,
                "answer_ms": float(now - self._words_at_ms),
                # Of the answer's time; none where it was spoken ahead, on a guess.
                "voice_ms": float(max(0, sounded_ms - max(asked_ms, self._words_at_ms))),
            }
            self._turn = self._turn.model_copy(
                update={"answer_pushed_at_ms": now, "answer_heard_at_ms": moment, "parts": parts}
            )
            self._answering = True

    def played(self, at: float, block: bytes) -> None:
        """Voices begin and end in some silence, which is not part of what is said."""
        if np.frombuffer(block, np.int16).max(initial=0) > _LOUD:
            if not self._agent_sounded:
                self._agent_sounded, self._agent_began_ms = True, self.at_ms(at)
            self._agent_loud_until = at + len(block) / 2 / RATE

    def cut(self, at: float) -> None:
        self._agent_loud_until = min(self._agent_loud_until, at)
        if self._turn and self._answering:
            self._turn = self._turn.model_copy(update={"silent_at_ms": self.at_ms(at)})

    def ended(self, at: float, heard_s: float, interrupted: bool) -> None:
        self._agent_ended_ms = self.at_ms(min(at, self._agent_loud_until))
        self._agent_heard_s += heard_s
        self.send(Speaking(participant_id=None, speaking=False, at_ms=self._agent_ended_ms))
        if self._answering and not interrupted:
            self.close_turn()

    def voice_begins(self) -> None:
        """Something is going to be said."""
        self._voice_ms = None

    def voice_sounded(self, asked_at: float, at: float) -> None:
        """A line of it was made; the first one counts."""
        if self._voice_ms is None:
            self._voice_ms = self.at_ms(asked_at), self.at_ms(at)

    def agent_drafted(self, segment_id: str, text: str) -> None:
        if self.shows_text and self._agent_began_ms is not None:
            self.send(Drafted(line=self._agent_line(text, self.now_ms()), segment_id=segment_id))

    def agent_said(self, segment_id: str, text: str, *, interrupted: bool) -> None:
        """`text` is what was heard of it."""
        heard = self._agent_heard_s >= HEARD_FROM_S or not interrupted
        if text and heard and self.shows_text and self._agent_began_ms is not None:
            self.send(Said(line=self._agent_line(text, self._agent_ended_ms), segment_id=segment_id))
        self._agent_began_ms, self._agent_sounded, self._agent_heard_s = None, False, 0.0

    def agent_state(self, state: str) -> None:
        if state in ("listening", "thinking", "speaking"):
            self.send(AgentState(state=state, at_ms=self.now_ms()))  # type: ignore[arg-type] # Checked above.

    def close_turn(self) -> None:
        """Nothing will be added to the running turn."""
        if self._turn is not None:
            self.send(self._turn)
        self._turn, self._answering = None, False

    def _agent_line(self, text: str, ended_at_ms: int) -> Line:
        began = self._agent_began_ms or 0
        return Line(speaker="agent", text=text, started_at_ms=began, ended_at_ms=max(began, ended_at_ms))
