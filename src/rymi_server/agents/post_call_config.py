"""What is to be done after a call: the agent's defaults, and what this call says otherwise, put together once.

The result is kept with the call, so that a later change to the agent does not reach back.
"""

from collections.abc import Mapping
from typing import Any

from rymi_server.agents.errors import InvalidPostCall
from rymi_server.foundation.json_schemas import UnusableSchema, compile_schema

SECTIONS = ("recording", "summary", "structured_extraction", "evaluation", "model")
# Nothing said of these is no "off": an agent may record, and calls are summed up.
_ON_BY_ITSELF = ("recording", "summary")


def resolve(agent_config: Mapping[str, Any], override: Mapping[str, Any]) -> dict[str, Any]:
    """Section by section: what the call says wins over what the agent says; null switches a section off."""
    features = agent_config.get("features") or {}
    defaults = agent_config.get("post_call") or {}
    resolved: dict[str, Any] = {}
    for section in SECTIONS:
        said = {**(defaults.get(section) or {}), **(override.get(section) or {})}
        if section in override and override[section] is None:
            said = {"enabled": False} if section in _ON_BY_ITSELF else {}
        if said:
            resolved[section] = said
    # `features.recording_enabled` is only the default of a switch that `post_call.recording` can turn.
    recording = {"enabled": bool(features.get("recording_enabled", False)), **resolved.get("recording", {})}
    return {**resolved, "recording": recording, **_evaluation(resolved)}


def refuse_invalid(post_call: Mapping[str, Any]) -> None:
    """Raise for a JSON Schema that no result could be held against."""
    extraction = post_call.get("structured_extraction") or {}
    schema = extraction.get("json_schema")
    if schema is None:
        return
    try:
        compile_schema(schema)
    except UnusableSchema as error:
        raise InvalidPostCall("post_call.structured_extraction.json_schema", error.message) from error


def _evaluation(resolved: Mapping[str, Any]) -> dict[str, Any]:
    """`rubric` is another word for `criteria`."""
    evaluation = dict(resolved.get("evaluation", {}))
    if "rubric" in evaluation:
        rubric = evaluation.pop("rubric")
        evaluation.setdefault("criteria", rubric)
    return {"evaluation": evaluation} if evaluation else {}


def renewed(frozen: Mapping[str, Any], agent_then: Mapping[str, Any], agent_now: Mapping[str, Any]) -> dict[str, Any]:
    """What the agent asks for by now, and what the call itself had said otherwise. For analysing a call again."""
    defaults_then = resolve(agent_then, {})
    said_by_call = {section: said for section, said in frozen.items() if said != defaults_then.get(section)}
    return resolve(agent_now, said_by_call)
