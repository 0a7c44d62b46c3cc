"""Getting JSON of a given shape out of a language model: asking again, and saying what was wrong, a bounded number of
times."""

import json
import math
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import jsonschema_rs

from rymi_server.foundation.json_schemas import compile_schema
from rymi_server.intelligence.language_models import LanguageModel, ModelFailed, Nonsense, Question

_MOST_ATTEMPTS = 3
_LONGEST_PAUSE_SECONDS = 20.0
_FIRST_PAUSE_SECONDS = 1.0
_MOST_TOKENS = 8_192
_SHOWN = 1_000
_FENCE = re.compile(r"^\s*```[a-zA-Z]*\s*\n?(.*?)\n?\s*```\s*$", re.DOTALL)
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_LONGEST_ANSWER = 200_000


async def ask_for(
    model: LanguageModel,
    question: Question,
    *,
    pause: Callable[[float], Awaitable[None]],
    lenient: bool = False,
) -> Any:
    """The answer as JSON that fits `question.schema`. `lenient` takes, in the end, an object that does not fit.

    Raise `ModelFailed` or `Nonsense` once it has failed as often as is worth trying.
    """
    validator = compile_schema(question.schema)
    asked, problem, misfit = question, "", None
    for attempt in range(1, _MOST_ATTEMPTS + 1):
        try:
            answered = await model.ask(asked)
        except ModelFailed as error:
            if not error.retryable or attempt == _MOST_ATTEMPTS:
                raise
            await pause(min(error.retry_after_seconds or _FIRST_PAUSE_SECONDS * attempt, _LONGEST_PAUSE_SECONDS))
            continue
        if answered.cut_short:
            problem = "the answer was longer than allowed"
            asked = replace(asked, most_tokens=min(asked.most_tokens * 4, _MOST_TOKENS))
            continue
        value, problem = _read(answered.text, validator)
        if not problem:
            return value
        misfit = value if isinstance(value, dict) else misfit
        asked = replace(question, instructions=_repair(question.instructions, answered.text, problem))
    if lenient and misfit is not None:
        return misfit
    raise Nonsense(f"{model.name} did not answer as asked: {problem}", retryable=False)


def _read(text: str, validator: jsonschema_rs.Draft202012Validator) -> tuple[Any, str]:
    """The value, and what is wrong with it."""
    if not text.strip():
        return None, "the answer was empty"
    try:
        value = storable(json.loads(_json_in(text), parse_constant=_refuse, parse_float=_finite))
    except (ValueError, RecursionError):
        return None, "the answer was no JSON"
    wrong = next(iter(validator.iter_errors(value)), None)
    return value, "" if wrong is None else str(wrong).splitlines()[0][:300]


def storable(value: Any) -> Any:
    """Without signs that nobody can see and a database refuses."""
    if isinstance(value, str):
        return _UNSEEN.sub("", value)
    if isinstance(value, list):
        return [storable(each) for each in value]
    if isinstance(value, dict):
        return {storable(key): storable(each) for key, each in value.items()}
    return value


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number")


def _finite(written: str) -> float:
    number = float(written)
    if not math.isfinite(number):
        raise ValueError("too large a number")
    return number


def _json_in(text: str) -> str:
    """Without the fence and the chatter that models like to put around it."""
    text = text[:_LONGEST_ANSWER]
    if fenced := _FENCE.match(text):
        return fenced[1]
    first, last = text.find("{"), text.rfind("}")
    return text[first : last + 1] if 0 <= first < last else text


def _repair(instructions: str, answered: str, problem: str) -> str:
    shown = json.dumps(answered[:_SHOWN])
    return (
        f"{instructions}\n\nYour last answer was not usable: {problem}. It began with {shown}. "
        "Answer again, with nothing but one JSON object that fits the schema."
    )
