"""The analysis without any model: what can be read off plain phrases, with the lines it was read from."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from rymi_server.foundation.json_schemas import fields_of, is_valid, resolved
from rymi_server.foundation.spoken.days import MONTHS, WEEKDAYS
from rymi_server.foundation.spoken.numbers import ORDINALS, VALUES
from rymi_server.foundation.spoken.words import STOP_WORDS, meanings, normal, plain
from rymi_server.intelligence import fields, outcomes
from rymi_server.intelligence.analysis import AnalysisRequest
from rymi_server.intelligence.dialogue import Turn, by_people, turns_of
from rymi_server.intelligence.findings import UNKNOWN, Finding

UNDECIDABLE = "not decidable without a language model"
_DEEPEST = 4
# Stands in for the day of a call whose start is not known, where no date is looked for.
_EPOCH = date(1970, 1, 1)
_LONGEST_QUOTE = 240
_MOST_CRITERIA = 50
# What a call is not about: answers that an agent has to ask for and that are noted by themselves, courtesies, and the
# words that make a question of something.
_ASIDE = frozenset(
    {*VALUES, *ORDINALS, *WEEKDAYS, *MONTHS}
    | {
        "today",
        "tomorrow",
        "next",
        "week",
        "morning",
        "afternoon",
        "evening",
        "noon",
        "clock",
        "half",
        "past",
        "quarter",
    }
    | {"name", "number", "hundred", "thousand", "what", "which", "where", "when", "much", "many"}
    | {"hello", "please", "thank", "thanks", "great", "perfect", "wonderful", "okay", "again", "later", "call"}
)


@dataclass(frozen=True, slots=True)
class Extracted:
    data: dict[str, Any]
    findings: Mapping[str, Finding]


@dataclass(frozen=True, slots=True)
class Judged:
    evaluation: dict[str, Any]
    turns: tuple[Turn, ...]


class Heuristics:
    """One call, looked at once."""

    def __init__(self, request: AnalysisRequest) -> None:
        started = request.started_at
        self._request = request
        self._turns = turns_of(request.entries)
        self._today = started.astimezone(request.time_zone).date() if started else None

    # --- mood and fields ---------------------------------------------------------------------------------------------

    def sentiment(self) -> Finding:
        return outcomes.sentiment(self._turns)

    def extract(self, schema: Mapping[str, Any]) -> Extracted:
        """Every field of the schema, null where unknown, and nothing besides."""
        findings: dict[str, Finding] = {}
        data = self._object(resolved(schema, schema), schema, "", findings, 0)
        return Extracted(data, findings)

    def _object(
        self,
        part: Mapping[str, Any],
        schema: Mapping[str, Any],
        path: str,
        findings: dict[str, Finding],
        depth: int,
    ) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, field in fields_of({**schema, **part}).items():
            where = f"{path}{name}"
            if field.get("type") == "object" and depth < _DEEPEST:
                found[name] = self._object(field, schema, f"{where}.", findings, depth + 1)
                continue
            finding = self._find(name, field)
            if finding.value is not None and not is_valid(finding.value, field, schema):
                finding = UNKNOWN
            findings[where] = finding
            found[name] = finding.value
        return found

    def _find(self, name: str, field: Mapping[str, Any]) -> Finding:
        found = fields.find(name, field, fields.Call(self._turns, self._today or _EPOCH))
        dated = isinstance(found.value, str) and re.match(r"\d{4}-\d{2}-\d{2}", found.value)
        # Without a start there is no `tomorrow`.
        return UNKNOWN if dated and self._today is None else found

    # --- criteria ----------------------------------------------------------------------------------------------------

    def evaluate(self, criteria: str, extracted: Extracted | None) -> Judged:
        """Each criterion by what was found out; all of them met is passed, one missed is not."""
        asked = _criteria(criteria)
        results = [(each, self._judge(each, extracted)) for each in asked]
        decided = [finding.value for _, finding in results if finding.value is not None]
        passed = False if False in decided else True if decided and len(decided) == len(results) else None
        score = round(sum(decided) / len(results), 2) if decided and len(decided) == len(results) else None
        reasoning = " ".join(_reason(each, finding, several=len(results) > 1) for each, finding in results)
        turns = tuple(dict.fromkeys(turn for _, finding in results for turn in finding.turns))
        return Judged({"passed": passed, "score": score, "reasoning": reasoning}, turns)

    def _judge(self, criterion: str, extracted: Extracted | None) -> Finding:
        about = set(meanings(criterion)) - {"agent", "human", "successfully", "call"}
        negated = bool({"not", "never", "avoid"} & set(normal(criterion)))
        if extracted is not None:
            for name, finding in extracted.findings.items():
                own = set(meanings(re.sub(r"(?<=[a-z])(?=[A-Z])|[_.]", " ", name)))
                if isinstance(finding.value, bool) and own and own <= about:
                    return finding if not negated else _opposite(finding)
        notion = outcomes.notion_of("", criterion)
        if notion is None or negated or not self._turns:
            return UNKNOWN
        return outcomes.find(notion, self._turns)

    # --- summary -----------------------------------------------------------------------------------------------------

    def summary(self, extracted: Extracted | None) -> str:
        """Who, what they wanted in their own words, and how it ended."""
        if not by_people(self._turns):
            return "The agent spoke, and nobody answered." if self._turns else "Nobody said anything."
        name = self._name()
        said = _most_telling(self._turns, name)
        parts = [f"{self._who(name)} talked to {self._agent()}.", f'They said: "{said}"']
        parts.append(self._outcome(extracted))
        return " ".join(part for part in parts if part)

    def _name(self) -> str:
        found = fields.find("name", {"type": "string"}, fields.Call(self._turns, self._today or _EPOCH))
        return str(found.value or "")

    def _who(self, name: str) -> str:
        several = {turn.identity for turn in by_people(self._turns)}
        return f"{len(several)} callers" if len(several) > 1 else name or "The caller"

    def _agent(self) -> str:
        persona = self._request.agent.get("persona")
        company = persona.get("companyName") if isinstance(persona, dict) else None
        return company if isinstance(company, str) and company else "the agent"

    def _outcome(self, extracted: Extracted | None) -> str:
        if outcomes.opted_out(self._turns).value:
            return "Outcome: they asked not to be called again."
        done = outcomes.booked(self._turns)
        told = _told(extracted)
        if done.value:
            return f'Outcome: it was booked ("{_cut(done.turns[-1].text)}").{told}'
        if outcomes.wanted_back(self._turns).value:
            return f"Outcome: they asked to be called back.{told}"
        if self._request.end_reason:
            return f"The call ended: {self._request.end_reason.replace('_', ' ')}.{told}"
        return told.strip()


def _opposite(finding: Finding) -> Finding:
    return Finding(not finding.value, finding.confidence, finding.turns)


def _criteria(criteria: str) -> list[str]:
    parts = [
        part.strip(" -*\t").strip() for part in re.split(r"\n+|(?<=[?;])\s+|^\d+[.)]\s+", criteria, flags=re.MULTILINE)
    ]
    return [part for part in parts if part][:_MOST_CRITERIA] or [criteria]


def _reason(criterion: str, finding: Finding, *, several: bool) -> str:
    about = f"{criterion.rstrip('.;')}: " if several else ""
    if finding.value is None:
        return f"{about}{UNDECIDABLE}."
    shown = f' "{_cut(finding.turns[-1].text)}"' if finding.turns else ""
    return (
        f"{about}{'yes' if finding.value else 'no'}, from what was said:{shown}."
        if shown
        else f"{about}{'yes' if finding.value else 'no'}."
    )


def _most_telling(turns: Sequence[Turn], name: str) -> str:
    """What the agent made sure of in the end; else the turn with the most content. The earlier of two."""
    aside = STOP_WORDS | _ASIDE | set(normal(name))
    read_back = {word for turn in outcomes.read_back(turns) for word in normal(turn.text)}

    def worth(turn: Turn) -> tuple[int, int, int, int]:
        words = {word for word in normal(turn.text) if len(word) > 3}
        content = words - aside
        return len(content & read_back), len(content), len(words - STOP_WORDS), -turn.sequence

    return _cut(max(by_people(turns), key=worth).text)


def _told(extracted: Extracted | None) -> str:
    if extracted is None:
        return ""
    known = [
        f"{plain(name)}: {finding.value}"
        for name, finding in extracted.findings.items()
        if finding.value is not None and not isinstance(finding.value, bool)
    ]
    return f" Noted: {'; '.join(known)}." if known else ""


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE].rstrip()}…"
