"""How well turns were taken in a call, twice: as the agent noted it, and as the recording lets one hear it. Pure.

The two are independent. Where they agree, both can be believed; how far apart they are is part of the answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Stretch = tuple[int, int]

# How far apart the trace and the waveform may put one event and still mean the same.
_SAME_EVENT_MS = 700
_LONGEST_GAP_MS = 15_000
# Shorter overlaps are nobody's fault: a breath, the tail of a word.
_OVERLAP_MS = 200
# A caller who goes on so soon after being taken for finished was not.
_WENT_ON_MS = 900


@dataclass(frozen=True, slots=True)
class Heard:
    """When each side made a sound, on the call's clock."""

    people: Sequence[Stretch]
    agent: Sequence[Stretch]


def quality_of(turns: Sequence[Mapping[str, Any]], heard: Heard | None) -> dict[str, Any]:
    """`heard` is None where nothing was recorded; then only the trace speaks."""
    each = [_turn(turn, heard) for turn in turns]
    cut_ins = _cut_ins(turns, heard)
    return {
        "turns": each,
        "summary": {
            "turns": len(each),
            "engines": _engines(turns),
            "gap_ms": {
                "traced": _spread([turn["traced"]["gap_ms"] for turn in each]),
                "heard": _spread([turn["heard"]["gap_ms"] for turn in each if turn["heard"]]),
            },
            "disagreement_ms": _spread([turn["disagreement_ms"] for turn in each]),
            "barge_ins": sum(turn["traced"]["barge_in_stop_ms"] is not None for turn in each),
            "barge_in_stop_ms": {
                "traced": _spread([turn["traced"]["barge_in_stop_ms"] for turn in each]),
                "heard": _spread([turn["heard"]["barge_in_stop_ms"] for turn in each if turn["heard"]]),
            },
            "cut_ins": len(cut_ins),
            "talk_over_ms": _overlap(heard.people, heard.agent) if heard else None,
        },
        "cut_ins": cut_ins,
        "recorded": heard is not None,
    }


def _turn(turn: Mapping[str, Any], heard: Heard | None) -> dict[str, Any]:
    traced = _traced(turn)
    listened = _listened(turn, heard) if heard else None
    gaps = traced["gap_ms"], listened["gap_ms"] if listened else None
    return {
        "turn": turn["turn"],
        "run": turn["run"],
        "participant_id": turn["participant_id"],
        "started_at_ms": turn["started_at_ms"],
        "end_reason": turn["end_reason"],
        "engine": {"mode": turn["mode"], "engine": turn["engine"], "fallback": turn["fallback"]},
        "traced": traced,
        "heard": listened,
        "disagreement_ms": abs(gaps[0] - gaps[1]) if gaps[0] is not None and gaps[1] is not None else None,
    }


def _traced(turn: Mapping[str, Any]) -> dict[str, Any]:
    """What the agent noted: the gap that the caller waits, in the parts that it is made of."""
    spoken, decided = turn["speech_ended_at_ms"], turn["decided_at_ms"]
    pushed, answered = turn["answer_pushed_at_ms"], turn["answer_heard_at_ms"]
    return {
        "gap_ms": _between(spoken, answered),
        "parts_ms": {
            "end_of_turn": _between(spoken, decided),
            "answer": _between(decided, pushed),
            "playout": _between(pushed, answered),
            **{name: round(value) for name, value in (turn["parts"] or {}).items() if isinstance(value, int | float)},
        },
        "barge_in_stop_ms": _between(turn["interrupted_at_ms"], turn["silent_at_ms"]),
    }


def _listened(turn: Mapping[str, Any], heard: Heard) -> dict[str, Any]:
    """What the recording says of the same turn."""
    ended = _nearest_end(heard.people, turn["speech_ended_at_ms"])
    answered = _answer_after(heard, ended) if turn["answer_heard_at_ms"] is not None else None
    interrupted, stop = turn["interrupted_at_ms"], None
    speaking = _around(heard.agent, interrupted)
    if interrupted is not None and speaking is not None:
        stop = max(0, speaking[1] - interrupted)
    onset = _onset_before(heard.people, interrupted)
    return {
        "speech_ended_at_ms": ended,
        "answer_began_at_ms": answered,
        "gap_ms": _between(ended, answered),
        "barge_in_stop_ms": stop,
        "onset_to_silence_ms": _between(onset, speaking[1]) if stop is not None and speaking else None,
    }


def _between(earlier: int | None, later: int | None) -> int | None:
    return None if earlier is None or later is None else later - earlier


def _nearest_end(stretches: Sequence[Stretch], at: int) -> int | None:
    ends = [end for _, end in stretches if abs(end - at) <= _SAME_EVENT_MS]
    return min(ends, key=lambda end: abs(end - at), default=None)


def _answer_after(heard: Heard, ended: int | None) -> int | None:
    """The next thing that the agent says, unless the caller goes on first."""
    if ended is None:
        return None
    answers = [begin for begin, _ in heard.agent if ended - _OVERLAP_MS <= begin <= ended + _LONGEST_GAP_MS]
    went_on = min((begin for begin, _ in heard.people if begin > ended), default=None)
    answer = min(answers, default=None)
    if answer is None or (went_on is not None and went_on + _OVERLAP_MS < answer):
        return None
    return answer


def _around(stretches: Sequence[Stretch], at: int | None) -> Stretch | None:
    """The stretch in which `at` lies."""
    if at is None:
        return None
    return next((each for each in stretches if each[0] <= at <= each[1] + _SAME_EVENT_MS), None)


def _onset_before(stretches: Sequence[Stretch], at: int | None) -> int | None:
    if at is None:
        return None
    return max((begin for begin, end in stretches if begin <= at <= end + _SAME_EVENT_MS), default=None)


def _cut_ins(turns: Sequence[Mapping[str, Any]], heard: Heard | None) -> list[dict[str, Any]]:
    """Where the agent began in somebody's words, and where somebody was taken for finished who was not."""
    if heard is None:
        return []
    found = [
        {"at_ms": begin, "kind": "began_over_speech"}
        for begin, _ in heard.agent
        if any(start + _OVERLAP_MS <= begin <= end - _OVERLAP_MS for start, end in heard.people)
    ]
    for turn in turns:
        decided, answered = turn["decided_at_ms"], turn["answer_heard_at_ms"]
        until = min(decided + _WENT_ON_MS, answered if answered is not None else decided + _WENT_ON_MS)
        if any(decided < begin <= until for begin, _ in heard.people):
            found.append({"at_ms": decided, "kind": "went_on"})
    return sorted(found, key=lambda each: each["at_ms"])


def _overlap(one: Sequence[Stretch], other: Sequence[Stretch]) -> int:
    """Milliseconds in which both speak. Both are in order."""
    total, place = 0, 0
    for begin, end in one:
        while place < len(other) and other[place][1] <= begin:
            place += 1
        at = place
        while at < len(other) and other[at][0] < end:
            total += min(end, other[at][1]) - max(begin, other[at][0])
            at += 1
    return total


def _engines(turns: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    used: dict[str, int] = {}
    for turn in turns:
        name = f"{turn['mode']}/{turn['engine']}" + (" (fallback)" if turn["fallback"] else "")
        used[name] = used.get(name, 0) + 1
    return used


def _spread(values: Sequence[int | None]) -> dict[str, int] | None:
    known = sorted(value for value in values if value is not None)
    if not known:
        return None
    return {"count": len(known), "p50": _rank(known, 0.5), "p95": _rank(known, 0.95), "max": known[-1]}


def _rank(ordered: Sequence[int], share: float) -> int:
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1))]
