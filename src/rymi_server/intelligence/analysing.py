"""The analysis of a finished call: `result = await analyse(request, models)`.

Never raises for what a call or a model is like: each part that was asked for is found out, or told of in `errors`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rymi_server.foundation.errors import RymiError
from rymi_server.foundation.json_schemas import UnusableSchema, compile_schema
from rymi_server.intelligence.analysis import HEURISTIC, MODEL, AnalysisRequest, AnalysisResult
from rymi_server.intelligence.heuristics import UNDECIDABLE, Extracted, Heuristics
from rymi_server.intelligence.language_models import LanguageModel, ModelNotConfigured, Models
from rymi_server.intelligence.questions import Read, Reader

SUMMARY, SENTIMENT, STRUCTURED_DATA, EVALUATION = "summary", "sentiment", "structured_data", "evaluation"
# `post_call.model.provider` that asks for no model where the installation has one.
NO_MODEL = "heuristic"


@dataclass(slots=True)
class _Findings:
    parts: dict[str, Any] = field(default_factory=dict)
    errors: list[dict[str, Any]] = field(default_factory=list)
    methods: dict[str, dict[str, Any]] = field(default_factory=dict)
    provenance: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def failed(self, part: str, code: str, message: str, *, fatal: bool) -> None:
        self.errors.append({"part": part, "code": code, "message": message, "fatal": fatal})

    def found(self, part: str, value: Any, method: str, model: str | None = None) -> None:
        self.parts[part] = value
        self.methods[part] = {"method": method, "model": model}

    def result(self) -> AnalysisResult:
        return AnalysisResult(errors=tuple(self.errors), methods=self.methods, provenance=self.provenance, **self.parts)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the owner of a call wants to know of it."""

    summary: bool
    summary_prompt: str
    schema: Mapping[str, Any] | None
    extraction_prompt: str
    criteria: str


async def analyse(
    request: AnalysisRequest, models: Models, *, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> AnalysisResult:
    """With the model that the call asks for or the installation has, else by heuristics. A call is asked about once."""
    findings = _Findings()
    wanted = _wanted(request, findings)
    model = _model(request, models, findings)
    if model is None or not request.entries:
        # Ten hours take seconds, in which others have to be served.
        await asyncio.to_thread(_by_heuristics, Heuristics(request), wanted, findings)
    else:
        await _by_model(Reader(model, request, pause=pause), wanted, findings)
    return findings.result()


def _wanted(request: AnalysisRequest, findings: _Findings) -> _Wanted:
    summary, extraction, evaluation = (
        _section(request.post_call, name) for name in ("summary", "structured_extraction", "evaluation")
    )
    schema = extraction.get("json_schema") if extraction.get("enabled") is not False else None
    if schema is not None:
        try:
            compile_schema(schema)
        except UnusableSchema as error:
            findings.failed(STRUCTURED_DATA, "unusable_schema", error.message, fatal=True)
            schema = None
    criteria = _text(evaluation, "criteria") or _text(evaluation, "rubric")
    return _Wanted(
        summary=summary.get("enabled") is not False,
        summary_prompt=_text(summary, "prompt"),
        schema=schema,
        extraction_prompt=_text(extraction, "prompt"),
        criteria=criteria if evaluation.get("enabled") is not False else "",
    )


def _model(request: AnalysisRequest, models: Models, findings: _Findings) -> LanguageModel | None:
    asked = _section(request.post_call, "model")
    provider, name = _text(asked, "provider") or None, _text(asked, "model") or None
    if provider == NO_MODEL:
        return None
    try:
        return models.find(provider, name)
    except ModelNotConfigured as error:
        findings.failed("model", error.code, f"{error.message}; read without a model", fatal=False)
        return None


# --- without a model -------------------------------------------------------------------------------------------------


def _by_heuristics(heuristics: Heuristics, wanted: _Wanted, findings: _Findings) -> None:
    extracted = heuristics.extract(wanted.schema) if wanted.schema is not None else None
    if wanted.summary:
        mood = heuristics.sentiment()
        findings.found(SUMMARY, heuristics.summary(extracted), HEURISTIC)
        findings.found(SENTIMENT, mood.value, HEURISTIC)
        findings.provenance[SENTIMENT] = mood.provenance()
    if extracted is not None:
        findings.found(STRUCTURED_DATA, extracted.data, HEURISTIC)
        findings.provenance.update({name: each.provenance() for name, each in extracted.findings.items()})
    if wanted.criteria:
        _judge(heuristics, wanted.criteria, extracted, findings)


def _judge(heuristics: Heuristics, criteria: str, extracted: Extracted | None, findings: _Findings) -> None:
    judged = heuristics.evaluate(criteria, extracted)
    findings.found(EVALUATION, judged.evaluation, HEURISTIC)
    evidence = [turn.evidence() for turn in judged.turns]
    findings.provenance[EVALUATION] = {"method": HEURISTIC, "confidence": None, "evidence": evidence}
    if judged.evaluation["passed"] is None:
        findings.failed(EVALUATION, "not_decidable", UNDECIDABLE, fatal=False)


# --- with a model ----------------------------------------------------------------------------------------------------


async def _by_model(reader: Reader, wanted: _Wanted, findings: _Findings) -> None:
    try:
        read = await reader.read(schema=wanted.schema, criteria=wanted.criteria)
    except RymiError as error:
        asked = [part for part, is_wanted in _parts(wanted) if is_wanted]
        for part in asked:
            findings.failed(part, error.code, error.message, fatal=True)
        return
    for gap in read.gaps:
        findings.failed("transcript", "model_failed", gap, fatal=False)
    await asyncio.gather(
        *(
            _part(part, reader, read, wanted, findings)
            for part, is_wanted in _parts(wanted)
            if is_wanted and part != SENTIMENT
        )
    )


async def _part(part: str, reader: Reader, read: Read, wanted: _Wanted, findings: _Findings) -> None:
    name = reader.model.name
    try:
        if part == SUMMARY:
            told = await reader.summarise(read, wanted.summary_prompt)
            findings.found(SUMMARY, told["summary"], MODEL, name)
            findings.found(SENTIMENT, told["sentiment"], MODEL, name)
        elif part == STRUCTURED_DATA and wanted.schema is not None:
            extracted = await reader.extract(read, wanted.schema, wanted.extraction_prompt)
            findings.found(STRUCTURED_DATA, extracted.data, MODEL, name)
            for field_name in extracted.unfit:
                message = f"{field_name}: the model's value did not fit the schema"
                findings.failed(STRUCTURED_DATA, "value_does_not_fit", message, fatal=False)
        elif part == EVALUATION:
            findings.found(EVALUATION, await reader.evaluate(read, wanted.criteria), MODEL, name)
    except RymiError as error:
        findings.failed(part, error.code, error.message, fatal=True)


def _parts(wanted: _Wanted) -> tuple[tuple[str, bool], ...]:
    return (
        (SUMMARY, wanted.summary),
        (SENTIMENT, wanted.summary),
        (STRUCTURED_DATA, wanted.schema is not None),
        (EVALUATION, bool(wanted.criteria)),
    )


def _section(post_call: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = post_call.get(name)
    return section if isinstance(section, dict) else {}


def _text(section: Mapping[str, Any], name: str) -> str:
    value = section.get(name)
    return value.strip() if isinstance(value, str) else ""
