"""Google's Gemini: `generateContent` with a schema for the answer."""

from typing import Any
from urllib.parse import quote

from rymi_server.intelligence.language_models import Answered, Nonsense, Question
from rymi_server.intelligence.providers.http_json import Endpoint, Turned
from rymi_server.intelligence.providers.shapes import at, count_at

_REFUSALS = {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"}
# What the model thinks before it answers is counted, too.
_TOKENS_FOR_THINKING = 4


class Gemini:
    def __init__(self, endpoint: Endpoint, model: str) -> None:
        self._endpoint = endpoint
        self._model = model
        self._takes_schemas = True

    @property
    def name(self) -> str:
        return f"gemini:{self._model}"

    async def ask(self, question: Question) -> Answered:
        path = f"/v1beta/models/{quote(self._model, safe='')}:generateContent"
        headers = {"x-goog-api-key": self._endpoint.key}
        try:
            answer = await self._endpoint.post(self.name, path, headers, self._body(question))
        except Turned as turned:
            if not self._takes_schemas or "schema" not in turned.complaint.lower():
                raise
            # It knows only a part of JSON Schema; what it answers is checked here in any case.
            self._takes_schemas = False
            answer = await self._endpoint.post(self.name, path, headers, self._body(question))
        reason = at(answer, "candidates", 0, "finishReason")
        if reason in _REFUSALS or at(answer, "promptFeedback", "blockReason"):
            raise Nonsense(f"{self.name} declined to answer", retryable=False)
        return Answered(
            _text_in(answer),
            cut_short=reason == "MAX_TOKENS",
            tokens_in=count_at(answer, "usageMetadata", "promptTokenCount"),
            tokens_out=count_at(answer, "usageMetadata", "candidatesTokenCount"),
        )

    def _body(self, question: Question) -> dict[str, Any]:
        asked: dict[str, Any] = {
            "maxOutputTokens": question.most_tokens * _TOKENS_FOR_THINKING,
            "responseMimeType": "application/json",
        }
        instructions = question.instructions
        if self._takes_schemas:
            asked["responseJsonSchema"] = question.schema
        else:
            instructions = f"{instructions}\n\nAnswer with one JSON object that fits: {question.schema}"
        return {
            "systemInstruction": {"parts": [{"text": instructions}]},
            "contents": [{"role": "user", "parts": [{"text": question.material}]}],
            "generationConfig": asked,
        }


def _text_in(answer: dict[str, Any]) -> str:
    parts = at(answer, "candidates", 0, "content", "parts")
    said = [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
    return "".join(part["text"] for part in said if isinstance(part.get("text"), str) and not part.get("thought"))
