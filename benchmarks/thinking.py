"""What thinking costs without a model: an answer by the playbook, a guarded sentence, a finished call read by rules."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from rymi_server.entrypoints.up.demo import RECEPTIONIST
from rymi_server.intelligence.analysing import analyse
from rymi_server.intelligence.analysis import AnalysisRequest
from rymi_server.intelligence.language_models import NoModels
from rymi_server.runtime.thinking.guardrails import Guardrails
from rymi_server.runtime.thinking.matching import Matcher
from rymi_server.runtime.thinking.playbook import read_playbook
from rymi_server.runtime.thinking.playbook_responder import PlaybookResponder
from rymi_server.runtime.thinking.replies import Heard
from rymi_server.transcripts.models import Entry, Speaker

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
CALL = (
    *("Yes please.", "How much is a cleaning?", "I need a cleaning.", "On Wednesday.", "At ten o'clock."),
    *("My name is Anna.", "Yes, that is right.", "No thank you."),
)
ROUNDS = 200


def main() -> dict[str, Any]:
    rows = asyncio.run(_measure())
    print(f"{'':44}{'p50':>10}{'p95':>10}")
    for name, row in rows.items():
        print(f"{name:44}{row['p50_us']:>8.0f} µs{row['p95_us']:>7.0f} µs")
    return rows


async def _measure() -> dict[str, Any]:
    playbook, _ = read_playbook(RECEPTIONIST, {})
    matcher = Matcher({entry.key: entry.phrases for entry in playbook.entries})
    rails = Guardrails(["politics", "medical advice"], ["guaranteed returns", "we are the cheapest", "100% safe"])
    sentence = "A check-up is sixty dollars and a cleaning is ninety, and most insurances pay for both."

    async def match() -> None:
        matcher.match("could you tell me until what time you are there today")

    async def guard() -> None:
        rails.check(sentence, sentence)

    async def read() -> None:
        await analyse(AnalysisRequest(_transcript(), _POST_CALL, started_at=MONDAY), NoModels())

    return {
        f"match a sentence to {len(playbook.entries)} entries": await _timed(match),
        "check a sentence against 5 guardrails": await _timed(guard),
        "answer a turn by the playbook": await _turns(),
        "read a finished call of 17 lines by rules": await _timed(read),
    }


_POST_CALL = {
    "structured_extraction": {
        "json_schema": {
            "type": "object",
            "properties": {
                "booked_appointment": {"type": "boolean"},
                "preferred_date": {"type": "string", "format": "date"},
                "preferred_time": {"type": "string"},
                "customer_name": {"type": "string"},
            },
        }
    },
    "evaluation": {"criteria": "Did the agent successfully book an appointment?"},
}


def _transcript() -> list[Entry]:
    lines = [
        line for said in CALL for line in ((Speaker.USER, said), (Speaker.AGENT, "All right. Which day suits you?"))
    ]
    return [Entry(n, None, None, who, text, n, n, True, "runtime") for n, (who, text) in enumerate(lines)]


async def _turns() -> dict[str, float]:
    taken = []
    for _ in range(ROUNDS // len(CALL)):
        responder = PlaybookResponder.for_agent(RECEPTIONIST, {}, now=lambda: MONDAY)
        for line in CALL:
            began = time.perf_counter()
            async for _step in responder.respond([Heard("caller", line)]):
                pass
            taken.append(time.perf_counter() - began)
    return _row(taken)


async def _timed(work: Callable[[], Awaitable[None]]) -> dict[str, float]:
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await work()
        taken.append(time.perf_counter() - began)
    return _row(taken)


def _row(taken: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(taken, n=20)
    return {"p50_us": cuts[9] * 1e6, "p95_us": cuts[18] * 1e6}
