"""The turn-detector table: how soon turns end, what is missed, stuck, cut and started falsely, in all modes and lines.

Two callers of five minutes each over eleven kinds of line. The first table is of silence alone, as the modes' own
numbers have it; the second adds what the words and the speaker's pauses tell.

Voices are never made twice the same, and what is missed or stuck is few turns, the same ones on many lines. So both
come with how far they may be off: 95 % of such callers lie within.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.measuring import table
from benchmarks.turn_lines import CONDITIONS, Line, Turn, Voices, caller, heard
from rymi_server.runtime.turn_taking.choosing import parameters_of
from rymi_server.runtime.turn_taking.detector import Detector
from rymi_server.runtime.turn_taking.modes import Overrides, changed
from rymi_server.runtime.turn_taking.scores import Scores, installed_scores
from rymi_server.runtime.turn_taking.signals import Began, Ended, EngineUsed, Mode, Signal

SEEDS = (0, 1)
FRAME_S = 0.02
STUCK_AFTER_S = 2.5
# A recogniser's drafts are this much behind the words.
DRAFT_LATE_S = 0.15
SILENCE_ALONE = Overrides(text_aware=False, adaptive=False)
GROUPS = {
    "quiet": ("clean", "phone"),
    "pink 20": ("pink 20", "phone pink 20"),
    "pink 10": ("pink 10", "phone pink 10"),
    "pink 5": ("pink 5",),
    "babble 15": ("babble 15", "phone babble 15"),
    "babble 10": ("babble 10",),
    "fan": ("fan",),
}
ENGINES = (
    (Mode.STEADY, "rms"),
    (Mode.BALANCED, "webrtc"),
    (Mode.BALANCED, "pocketsphinx"),
    (Mode.BALANCED, "pcm"),
    (Mode.SENSITIVE, "silero"),
    (Mode.SENSITIVE, "pcm"),
)
HEADINGS = (
    *("mode", "engine", "line", "end p50 ms", "end p95 ms", "missed %", "±", "stuck %", "±", "starts +ms"),
    *("false starts/min", "cut turns %"),
)


@dataclass
class Count:
    """What one detector did over one or more lines."""

    delays: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    # How often each turn of each caller was missed, and stuck, and on how many lines it was heard.
    each: dict[tuple[int, float], list[int]] = field(default_factory=dict)
    with_pauses: int = 0
    cut: int = 0
    false_starts: int = 0
    quiet_s: float = 0.0

    def add(self, line: Line, signals: list[Signal]) -> None:
        starts = [signal.at_ms / 1_000 for signal in signals if isinstance(signal, Began)]
        ends = [signal.at_ms / 1_000 for signal in signals if isinstance(signal, Ended)]
        whole = len(line.sound) / 16_000
        for turn, after in zip(line.turns, [*line.turns[1:], None], strict=True):
            fate = self.each.setdefault((id(line), turn.begins), [0, 0, 0])
            fate[2] += 1
            self._judge(turn, after.begins if after else whole, starts, ends, fate)
        within = [(turn.begins - 0.1, turn.ends + 0.35) for turn in line.turns]
        self.false_starts += sum(not any(low <= start <= high for low, high in within) for start in starts)
        self.quiet_s += whole - sum(turn.ends - turn.begins for turn in line.turns)

    def _judge(self, turn: Turn, following: float, starts: list[float], ends: list[float], fate: list[int]) -> None:
        self.with_pauses += bool(turn.pauses)
        begun = [start for start in starts if turn.begins - 0.1 <= start <= turn.ends + 0.35]
        open_before = any(
            start <= turn.begins and not any(start < end < turn.begins for end in ends) for start in starts
        )
        if not begun and not open_before:
            fate[0] += 1
            return
        if begun:
            self.late.append(min(begun) - turn.begins)
        self.cut += bool(turn.pauses) and any(turn.begins + 0.05 < end < turn.ends - 0.02 for end in ends)
        after = [end for end in ends if turn.ends - 0.02 <= end < min(following, turn.ends + STUCK_AFTER_S)]
        if after:
            self.delays.append(after[0] - turn.ends)
        else:
            fate[1] += 1

    def _share(self, which: int) -> tuple[float, float]:
        """Per cent, and how far it may be off. Turns differ by themselves, not from line to line."""
        heard = sum(fate[2] for fate in self.each.values())
        rates = np.array([fate[which] / fate[2] for fate in self.each.values()])
        off = 1.96 * float(rates.std(ddof=1)) / len(rates) ** 0.5
        return sum(fate[which] for fate in self.each.values()) / heard * 100, off * 100

    def row(self) -> dict[str, Any]:
        delays = self.delays or [float("nan")]
        missed, stuck = self._share(0), self._share(1)
        return {
            "end_p50_ms": float(np.median(delays)) * 1_000,
            "end_p95_ms": float(np.quantile(delays, 0.95)) * 1_000,
            "missed_percent": missed[0],
            "missed_within": missed[1],
            "stuck_percent": stuck[0],
            "stuck_within": stuck[1],
            "start_ms": float(np.median(self.late or [float("nan")])) * 1_000,
            "false_starts_per_minute": self.false_starts / self.quiet_s * 60,
            "cut_percent": self.cut / max(1, self.with_pauses) * 100,
        }


def detector_with(scores: Scores, mode: Mode, engine: str, overrides: Overrides) -> Detector:
    """With this very engine, whatever is the best on this machine."""
    _, score = scores.first_of([engine])
    used = EngineUsed(mode, engine, fallback=engine == "pcm")
    return Detector(used, changed(parameters_of(mode, engine), overrides), score)


def run(detector: Detector, line: Line, sound: bytes, *, with_words: bool) -> list[Signal]:
    drafts = _drafts(line) if with_words else []
    signals: list[Signal] = []
    for frame in range(len(sound) // 640):
        while drafts and drafts[0][0] <= frame * FRAME_S:
            detector.hear_draft(drafts.pop(0)[1])
        signals += detector.push(sound[frame * 640 : frame * 640 + 640])
    return signals


def _drafts(line: Line) -> list[tuple[float, str]]:
    """The true words, when a recogniser would have them."""
    seen = [(pause.at + DRAFT_LATE_S, pause.words) for turn in line.turns for pause in turn.pauses]
    return sorted(seen + [(turn.ends + DRAFT_LATE_S, turn.words) for turn in line.turns])


def main() -> dict[str, Any]:
    voices, scores = Voices(), installed_scores()
    lines = {seed: caller(voices, seed) for seed in SEEDS}
    sounds = {
        (condition, seed): heard(voices, lines[seed].sound, condition, seed + 100)
        for condition in CONDITIONS
        for seed in SEEDS
    }
    results: dict[str, Any] = {"silence_alone": {}, "with_words": {}}
    rows: list[list[object]] = []
    for mode, engine in ENGINES:
        counts = _over_all(lines, sounds, scores, mode, engine)
        results["silence_alone"][f"{mode} {engine}"] = counts
        rows += [_shown(mode, engine, group, row) for group, row in counts.items()]
    table(HEADINGS, rows)
    print("\nwith the words that were said, and the speaker's own pauses:")
    rows = []
    for mode, engine in ENGINES:
        count = Count()
        for condition in ("clean", "pink 20", "phone pink 20"):
            for seed, line in lines.items():
                detector = detector_with(scores, mode, engine, Overrides())
                count.add(line, run(detector, line, sounds[condition, seed], with_words=True))
        results["with_words"][f"{mode} {engine}"] = count.row()
        rows.append(_shown(mode, engine, "quiet and 20 dB", count.row()))
    table(HEADINGS, rows)
    return results


def _over_all(
    lines: dict[int, Line], sounds: dict[tuple[str, int], bytes], scores: Scores, mode: Mode, engine: str
) -> dict[str, dict[str, Any]]:
    everything = Count()
    groups = {group: Count() for group in GROUPS}
    for (condition, seed), sound in sounds.items():
        signals = run(detector_with(scores, mode, engine, SILENCE_ALONE), lines[seed], sound, with_words=False)
        group = next(name for name, members in GROUPS.items() if condition in members)
        for count in (everything, groups[group]):
            count.add(lines[seed], signals)
    return {"all": everything.row()} | {group: count.row() for group, count in groups.items()}


def _shown(mode: Mode, engine: str, group: str, row: dict[str, Any]) -> list[object]:
    return [mode.value, engine, group, *row.values()]
