"""Performs a script against what is heard. Time arrives with the audio: one tick is one frame of 20 ms."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from carrierbox.callees.script import Beep, Listen, Move, Overhear, Play, Press, Say, Script, Stay, Wait
from carrierbox.line.g711 import FRAME, FRAME_MS, SILENCE, decode
from carrierbox.line.tones import GAP_MS, KEY_MS, PAUSES, KeyEar, beep
from carrierbox.speech.voices import Voices

SPEECH_LEVEL = 350.0
NOTHING = np.zeros(FRAME, np.float32)
WORD_MS = 100
LONGEST_TURN_MS = 120_000


@dataclass(frozen=True)
class Turn:
    """What the party did in one frame. No sound means that a key was held: carriers mute those."""

    sound: bytes | None = SILENCE
    pressed: str | None = None
    hung_up: bool = False
    notes: tuple[str, ...] = ()


async def rehearse(moves: tuple[Move, ...], voices: Voices) -> tuple[Move, ...]:
    """The same moves with every line already spoken, so that a tick never waits for a voice."""
    ready: list[Move] = []
    for move in moves:
        if isinstance(move, Say):
            sound = await voices.say(move.text, move.voice)
            ready.append(Play(sound, move.text, move.cut_ms))
        elif isinstance(move, Beep):
            ready.append(Play(beep(), "(beep)"))
        else:
            ready.append(move)
    return tuple(ready)


@dataclass
class Ear:
    """How long the other side has been speaking, and how long it has been quiet."""

    spoke_ms: int = 0
    quiet_ms: int = 0
    keys: KeyEar = field(default_factory=KeyEar)

    def hear(self, frame: bytes) -> str | None:
        """The key heard in the frame, if one was."""
        samples = NOTHING if frame == SILENCE else decode(frame).astype(np.float32)
        if samples is NOTHING or float(samples @ samples) < FRAME * SPEECH_LEVEL**2:
            self.quiet_ms += FRAME_MS
            return self.keys.hear(NOTHING)
        self.spoke_ms += FRAME_MS
        self.quiet_ms = 0
        return self.keys.hear(samples)

    def forget(self) -> None:
        self.spoke_ms = self.quiet_ms = 0


class Party:
    """One simulated person in one call."""

    def __init__(self, script: Script, rehearsed: tuple[Move, ...]) -> None:
        self.script = script
        self._moves = deque(rehearsed)
        self._move: Move | None = None
        self._elapsed_ms = 0
        self._played = 0
        self._ear = Ear()

    def interject(self, rehearsed: tuple[Move, ...]) -> None:
        """Do these next, as soon as the line being spoken is over; waiting and listening are given up at once."""
        if isinstance(self._move, Stay):
            self._moves.appendleft(self._move)
        self._moves.extendleft(reversed(rehearsed))
        if not isinstance(self._move, Play | Press):
            self._move = None

    def tick(self, heard: bytes) -> Turn:
        key = self._ear.hear(heard)
        notes = (f"heard key {key}",) if key else ()
        started: tuple[str, ...] = ()
        while self._move is None or self._is_over(self._move):
            if not self._moves:
                return Turn(hung_up=True, notes=notes)
            started = (*started, *self._begin(self._moves.popleft()))
        sound, pressed, cut = self._perform(self._move)
        self._elapsed_ms += FRAME_MS
        return Turn(sound, pressed, cut, notes + started)

    def _begin(self, move: Move) -> tuple[str, ...]:
        self._move = move
        self._elapsed_ms = self._played = 0
        if isinstance(move, Listen | Overhear):
            self._ear.forget()
        return (f"says: {move.text}",) if isinstance(move, Play) else ()

    def _is_over(self, move: Move) -> bool:
        match move:
            case Play(sound=sound):
                return self._played >= len(sound)
            case Wait(ms=ms):
                return self._elapsed_ms >= ms
            case Listen(quiet_ms=quiet, patience_ms=patience):
                had_enough = self._ear.spoke_ms >= WORD_MS and self._ear.quiet_ms >= quiet
                gave_up = self._ear.spoke_ms < WORD_MS and self._elapsed_ms >= patience
                return had_enough or gave_up or self._elapsed_ms >= LONGEST_TURN_MS
            case Overhear(speech_ms=speech, patience_ms=patience):
                return self._ear.spoke_ms >= speech or self._elapsed_ms >= patience
            case Press(digits=digits):
                return self._elapsed_ms >= _duration(digits)
            case Stay():
                return False
            case Say() | Beep():
                raise AssertionError("A line is spoken before it is performed.")

    def _perform(self, move: Move) -> tuple[bytes | None, str | None, bool]:
        if isinstance(move, Play):
            sound = move.sound[self._played : self._played + FRAME]
            self._played += FRAME
            cut = move.cut_ms is not None and self._elapsed_ms >= move.cut_ms
            return sound.ljust(FRAME, SILENCE[:1]), None, cut
        if isinstance(move, Press):
            return *_key_at(move.digits, self._elapsed_ms), False
        return SILENCE, None, False


def _duration(digits: str) -> int:
    return sum(PAUSES.get(digit, KEY_MS + GAP_MS) for digit in digits)


def _key_at(digits: str, elapsed_ms: int) -> tuple[bytes | None, str | None]:
    """The sound of this instant (none while a key is down), and the key if it goes down just now."""
    start = 0
    for digit in digits:
        if digit not in PAUSES and start <= elapsed_ms < start + KEY_MS:
            return None, digit if elapsed_ms == start else None
        start += PAUSES.get(digit, KEY_MS + GAP_MS)
    return SILENCE, None
