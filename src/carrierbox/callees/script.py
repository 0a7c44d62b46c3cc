"""What a simulated person does on the phone, as plain values: read from JSON, and performed by `party`."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from carrierbox.line.condition import PERFECT, Condition
from carrierbox.line.recording import BadWav, read_wav
from carrierbox.line.tones import PAIRS, PAUSES
from carrierbox.speech.voices import DEFAULT_VOICE

MAX_MOVES = 200
MAX_TEXT = 2000
MAX_SECONDS = 3600.0


class BadScript(Exception):
    """The script cannot be performed; the message says which part, and why."""


class Pickup(StrEnum):
    ANSWERS = "answers"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTS = "rejects"
    UNREACHABLE = "unreachable"


class Being(StrEnum):
    """What answering-machine detection finds at the far end."""

    HUMAN = "human"
    MACHINE = "machine"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Say:
    """A line of speech. `cut_ms` hangs up in the middle of it."""

    text: str
    voice: str = DEFAULT_VOICE
    cut_ms: int | None = None


@dataclass(frozen=True)
class Play:
    """Ready-made sound, mu-law at 8 kHz."""

    sound: bytes = field(repr=False)
    text: str = ""
    cut_ms: int | None = None


@dataclass(frozen=True)
class Wait:
    ms: int


@dataclass(frozen=True)
class Listen:
    """Let the other side speak: until it spoke and was quiet for `quiet_ms`, or said nothing for `patience_ms`."""

    quiet_ms: int = 900
    patience_ms: int = 10_000


@dataclass(frozen=True)
class Overhear:
    """Wait until the other side has been speaking for so long: the moment before a barge-in."""

    speech_ms: int
    patience_ms: int = 20_000


@dataclass(frozen=True)
class Press:
    digits: str


@dataclass(frozen=True)
class Beep:
    pass


@dataclass(frozen=True)
class Stay:
    """Say no more, and never hang up."""


Move = Say | Play | Wait | Listen | Overhear | Press | Beep | Stay


@dataclass(frozen=True)
class Script:
    """A callee, or a caller. After the last move they hang up."""

    moves: tuple[Move, ...] = ()
    pickup: Pickup = Pickup.ANSWERS
    ring_ms: int = 1500
    being: Being = Being.HUMAN
    condition: Condition = PERFECT
    name: str = "scripted"


def read_script(raw: object) -> Script:
    """Read a script from JSON, or say what is wrong with it."""
    at = _object(raw, "script")
    moves = at.get("moves", [])
    if not isinstance(moves, Sequence) or isinstance(moves, str) or len(moves) > MAX_MOVES:
        raise BadScript(f"script.moves must be a list of at most {MAX_MOVES} moves.")
    return Script(
        moves=tuple(_move(move, f"script.moves[{index}]") for index, move in enumerate(moves)),
        pickup=_choice(Pickup, at.get("pickup", Pickup.ANSWERS), "script.pickup"),
        ring_ms=_whole(at.get("ring_ms", 1500), "script.ring_ms", 0, int(MAX_SECONDS * 1000)),
        being=_choice(Being, at.get("being", Being.HUMAN), "script.being"),
        condition=_condition(at.get("line", {})),
        name=_text(at.get("name", "scripted"), "script.name"),
    )


def _move(raw: object, where: str) -> Move:
    at = _object(raw, where)
    kind = at.get("do")
    longest = int(MAX_SECONDS * 1000)
    match kind:
        case "say":
            voice = _text(at.get("voice", DEFAULT_VOICE), f"{where}.voice")
            return Say(_text(at.get("text"), f"{where}.text"), voice, _cut(at, where))
        case "play":
            return Play(_sound(at.get("wav_base64"), where), _text(at.get("text", "(sound)"), where), _cut(at, where))
        case "wait":
            return Wait(_whole(at.get("ms"), f"{where}.ms", 0, longest))
        case "listen":
            quiet = _whole(at.get("quiet_ms", 900), f"{where}.quiet_ms", 20, longest)
            return Listen(quiet, _whole(at.get("patience_ms", 10_000), f"{where}.patience_ms", 20, longest))
        case "overhear":
            speech = _whole(at.get("speech_ms"), f"{where}.speech_ms", 20, longest)
            return Overhear(speech, _whole(at.get("patience_ms", 20_000), f"{where}.patience_ms", 20, longest))
        case "press":
            return Press(read_digits(at.get("digits"), f"{where}.digits"))
        case "beep":
            return Beep()
        case "stay":
            return Stay()
    raise BadScript(f"{where}.do must be say, play, wait, listen, overhear, press, beep or stay, not {kind!r}.")


def read_digits(raw: object, where: str) -> str:
    if not isinstance(raw, str) or not 0 < len(raw) <= 32 or any(key not in PAIRS and key not in PAUSES for key in raw):
        raise BadScript(f"{where} must be 1 to 32 of 0-9 * # A-D, with w, W or p for a pause.")
    return raw


def _condition(raw: object) -> Condition:
    at = _object(raw, "script.line")
    noise = at.get("noise_db")
    return Condition(
        loss=_fraction(at.get("loss", 0.0), "script.line.loss"),
        jitter_ms=_whole(at.get("jitter_ms", 0), "script.line.jitter_ms", 0, 5000),
        noise_db=None if noise is None else float(_whole(noise, "script.line.noise_db", -90, 0)),
    )


def _cut(at: Mapping[str, object], where: str) -> int | None:
    return _whole(at["cut_ms"], f"{where}.cut_ms", 20, 600_000) if "cut_ms" in at else None


def _sound(raw: object, where: str) -> bytes:
    try:
        return read_wav(base64.b64decode(_text(raw, f"{where}.wav_base64", 8_000_000), validate=True))
    except (binascii.Error, BadWav) as error:
        raise BadScript(f"{where}.wav_base64: {error}") from error


def _object(raw: object, where: str) -> Mapping[str, object]:
    if not isinstance(raw, Mapping):
        raise BadScript(f"{where} must be an object.")
    return raw


def _text(raw: object, where: str, longest: int = MAX_TEXT) -> str:
    if not isinstance(raw, str) or not 0 < len(raw) <= longest:
        raise BadScript(f"{where} must be text of 1 to {longest} characters.")
    return raw


def _whole(raw: object, where: str, least: int, most: int) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int) or not least <= raw <= most:
        raise BadScript(f"{where} must be a whole number from {least} to {most}.")
    return raw


def _fraction(raw: object, where: str) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 <= raw <= 1:
        raise BadScript(f"{where} must be a number from 0 to 1.")
    return float(raw)


Word = TypeVar("Word", bound=StrEnum)


def _choice(kind: type[Word], raw: object, where: str) -> Word:
    try:
        return kind(str(raw))
    except ValueError:
        raise BadScript(f"{where} must be one of {', '.join(kind)}.") from None
