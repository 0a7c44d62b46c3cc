"""What an analysis is asked, and what it answers. `intelligence.analysing.analyse(request, models)` does it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any

from rymi_server.transcripts.models import Entry

HEURISTIC = "heuristic"
MODEL = "model"
SENTIMENTS = ("positive", "neutral", "negative")


@dataclass(frozen=True, slots=True)
class AnalysisRequest:
    """A finished call: what was said, and what its owner wants to know of it."""

    entries: Sequence[Entry]
    # As `agents.post_call_config.resolve` froze it: summary, structured_extraction, evaluation, model.
    post_call: Mapping[str, Any]
    agent: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    end_reason: str | None = None
    started_at: datetime | None = None
    # Where `tomorrow` is reckoned from.
    time_zone: tzinfo = UTC


@dataclass(frozen=True, slots=True)
class AnalysisResult:
    """Each part on its own: one that failed is None and told of in `errors`, and the others stand.

    `structured_data` has the fields of the caller's schema and nothing else. Where values came from (method, evidence,
    confidence) stands in `provenance`, by field. `evaluation` is `{passed, score, reasoning}`; `passed` and `score` are
    None where nobody could tell. Errors are `{part, code, message, fatal}`; fatal means that the part has no result.
    """

    summary: str | None = None
    sentiment: str | None = None
    structured_data: dict[str, Any] | None = None
    evaluation: dict[str, Any] | None = None
    errors: tuple[dict[str, Any], ...] = ()
    # By part: {"method": "heuristic" | "model", "model": name | None}.
    methods: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    # By field, and for `sentiment`, `evaluation`: {"method", "confidence", "evidence": [{"sequence", "quote"}]}.
    provenance: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether something that was asked for could not be found out at all."""
        return any(error.get("fatal") for error in self.errors)
