"""What streaming recognisers do each in a way of their own, and how words are told from those that were given out."""

from dataclasses import dataclass, replace
from typing import Final

from livekit.agents import stt

_CARTESIA_OF_OLD: Final = "ink-whisper"
_SLACK_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class Habits:
    # Told that an utterance is over, it says at once what it was.
    takes_flush: bool = True
    # Its times are those of the sound that it was sent.
    tells_times: bool = False
    tells_turn_ends: bool = False


_OF: Final = {
    "deepgram": Habits(tells_times=True, tells_turn_ends=True),
    "google": Habits(takes_flush=False, tells_times=True),
    "cartesia": Habits(takes_flush=False, tells_turn_ends=True),
}


def habits_of(name: str) -> Habits:
    # What Cartesia's older model calls final are pieces of what is being said, with no turn's end among them.
    if _CARTESIA_OF_OLD in name:
        return Habits()
    return _OF.get(name.partition(":")[0], Habits())


@dataclass(slots=True)
class GivenOut:
    """What was given out already: how much of the sound, and the words of which the final is still to come."""

    habits: Habits
    until_s: float = 0.0
    owed: str = ""

    def fresh(self, piece: stt.SpeechData, *, final: bool) -> stt.SpeechData | None:
        """What of this was not given out before; None where all of it was."""
        if self.habits.tells_times and piece.end_time:
            if piece.end_time < self.until_s - _SLACK_S and piece.start_time < self.until_s - _SLACK_S:
                self.owed = "" if final else self.owed
                return None
            if piece.start_time >= self.until_s - _SLACK_S:
                self.owed = ""
        owed = self.owed
        if final:
            self.owed = ""
        return _less(owed, piece) if owed else piece


def _less(given: str, piece: stt.SpeechData) -> stt.SpeechData | None:
    """Recognisers that tell turns by themselves begin with all that was said in a turn, however it is written now."""
    before, words = [_plain(word) for word in given.split()], piece.text.split()
    same = sum(old == _plain(new) for old, new in zip(before, words, strict=False))
    if same * 2 < len(before):
        return piece
    rest = words[len(before) :]
    if not rest:
        return None
    timed = piece.words[-len(rest) :] if piece.words and len(piece.words) == len(words) else None
    return replace(piece, text=" ".join(rest), words=timed)


def _plain(word: str) -> str:
    return "".join(sign for sign in word.lower() if sign.isalnum())
