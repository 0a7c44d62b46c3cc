"""Chat completions as OpenAI has them and many others speak them: vLLM, Ollama, llama.cpp, Groq, OpenRouter, …

Servers differ in how they can be held to a schema. The strictest way is tried first, and what a server does not take is
not asked of it again.
"""

import json
from typing import Any

from rymi_server.intelligence.language_models import Answered, Question
from rymi_server.intelligence.providers.http_json import Endpoint, Turned
from rymi_server.intelligence.providers.shapes import at, count_at, text_at

_LIMITS = ("max_tokens", "max_completion_tokens")


class OpenAiCompatible:
    def __init__(self, endpoint: Endpoint, model: str, *, provider: str = "openai") -> None:
        self._endpoint = endpoint
        self._model = model
        self._name = f"{provider}:{model}"
        self._formats = ["json_schema", "json_object", ""]
        self._limits = list(_LIMITS)

    @property
    def name(self) -> str:
        return self._name

    async def ask(self, question: Question) -> Answered:
        headers = {"Authorization": f"Bearer {self._endpoint.key}"} if self._endpoint.key else {}
        while True:
            body = self._body(question)
            try:
                answer = await self._endpoint.post(self._name, "/chat/completions", headers, body)
            except Turned as turned:
                if not self._asks_less(turned.complaint):
                    raise
                continue
            return Answered(
                text_at(answer, "choices", 0, "message", "content"),
                cut_short=at(answer, "choices", 0, "finish_reason") == "length",
                tokens_in=count_at(answer, "usage", "prompt_tokens"),
                tokens_out=count_at(answer, "usage", "completion_tokens"),
            )

    def _body(self, question: Question) -> dict[str, Any]:
        shape = f"Answer with one JSON object that fits this JSON Schema:\n{json.dumps(question.schema)}"
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [
                {"role": "system", "content": f"{question.instructions}\n\n{shape}"},
                {"role": "user", "content": question.material},
            ],
            self._limits[0]: question.most_tokens,
        }
        if self._formats[0] == "json_schema":
            schema = {"name": "answer", "schema": question.schema, "strict": False}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif self._formats[0]:
            body["response_format"] = {"type": self._formats[0]}
        return body

    def _asks_less(self, complaint: str) -> bool:
        """Whether there is something that the server complained of and can be left out."""
        said = complaint.lower()
        if len(self._limits) > 1 and self._limits[1] in said:
            self._limits.pop(0)
            return True
        if len(self._formats) > 1 and any(word in said for word in ("response_format", "schema", "json", "grammar")):
            self._formats.pop(0)
            return True
        return False
