"""Anthropic's Messages: the answer is the input of a tool that the model has to use."""

import json
from typing import Any

from rymi_server.intelligence.language_models import Answered, Nonsense, Question
from rymi_server.intelligence.providers.http_json import Endpoint
from rymi_server.intelligence.providers.shapes import at, count_at

VERSION = "2023-06-01"
_TOOL = "answer"


class Anthropic:
    def __init__(self, endpoint: Endpoint, model: str) -> None:
        self._endpoint = endpoint
        self._model = model

    @property
    def name(self) -> str:
        return f"anthropic:{self._model}"

    async def ask(self, question: Question) -> Answered:
        headers = {"x-api-key": self._endpoint.key, "anthropic-version": VERSION}
        answer = await self._endpoint.post(self.name, "/v1/messages", headers, self._body(question))
        if at(answer, "stop_reason") == "refusal":
            raise Nonsense(f"{self.name} declined to answer", retryable=False)
        return Answered(
            _answer_in(answer),
            cut_short=at(answer, "stop_reason") == "max_tokens",
            tokens_in=count_at(answer, "usage", "input_tokens"),
            tokens_out=count_at(answer, "usage", "output_tokens"),
        )

    def _body(self, question: Question) -> dict[str, Any]:
        schema = question.schema if question.schema.get("type") == "object" else {"type": "object"}
        tool = {"name": _TOOL, "description": "Give the answer.", "input_schema": schema}
        return {
            "model": self._model,
            "max_tokens": question.most_tokens,
            "system": question.instructions,
            "messages": [{"role": "user", "content": question.material}],
            "tools": [tool],
            "tool_choice": {"type": "tool", "name": _TOOL},
        }


def _answer_in(answer: dict[str, Any]) -> str:
    content = at(answer, "content")
    blocks = [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []
    for block in blocks:
        if block.get("type") == "tool_use" and isinstance(block.get("input"), dict):
            return json.dumps(block["input"])
    return "".join(block["text"] for block in blocks if isinstance(block.get("text"), str))
