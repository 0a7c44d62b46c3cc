"""What every language model promises, held by each family against a server on a real socket."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from tests.support.model_server import ModelServer, Say

from rymi_server.intelligence.access import ANTHROPIC, GEMINI, OPENAI, ProviderAccess
from rymi_server.intelligence.catalog import ModelCatalog
from rymi_server.intelligence.language_models import (
    LanguageModel,
    ModelFailed,
    ModelNotConfigured,
    ModelTrouble,
    Nonsense,
    Question,
)
from rymi_server.intelligence.repairing import ask_for

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}
QUESTION = Question("Count.", "one two", SCHEMA, 100)


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    server = ModelServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


def catalog(client: httpx.AsyncClient, url: str, timeout_seconds: float = 5.0, default: str = "") -> ModelCatalog:
    suffix = {OPENAI: "/v1", ANTHROPIC: "", GEMINI: ""}
    access = {provider: ProviderAccess(f"{url}{suffix[provider]}", f"key-of-{provider}") for provider in suffix}
    return ModelCatalog(client, access, default, "key-of-default", timeout_seconds)


class Pauses:
    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


class LanguageModelPromises:
    provider: str
    path: str

    @pytest.fixture
    def model(self, server: ModelServer, client: httpx.AsyncClient) -> LanguageModel:
        found = catalog(client, server.url).find(self.provider, "m-1")
        assert found is not None
        return found

    async def test_answers_with_json(self, server: ModelServer, model: LanguageModel) -> None:
        server.script.append(Say({"n": 2}))
        answered = await model.ask(QUESTION)
        assert answered.text == '{"n": 2}'
        assert (answered.tokens_in, answered.tokens_out) == (7, 3)
        assert model.name == f"{self.provider}:m-1"

    async def test_keeps_instructions_and_material_apart(self, server: ModelServer, model: LanguageModel) -> None:
        server.script.append(Say({"n": 2}))
        await model.ask(QUESTION)
        [asked] = server.asked
        assert asked.path == self.path
        assert asked.material == "one two"
        assert "one two" not in asked.instructions
        assert asked.instructions.startswith("Count.")

    async def test_shows_its_key_to_its_own_provider(self, server: ModelServer, model: LanguageModel) -> None:
        server.script.append(Say({"n": 2}))
        await model.ask(QUESTION)
        assert f"key-of-{self.provider}" in " ".join(server.asked[0].headers.values())

    async def test_says_that_an_answer_was_cut_short(self, server: ModelServer, model: LanguageModel) -> None:
        server.script.append(Say('{"n":', cut_short=True))
        assert (await model.ask(QUESTION)).cut_short

    @pytest.mark.parametrize(
        ("say", "retryable"),
        [
            (Say(status=500, raw=b"<html>oops</html>"), True),
            (Say(status=503), True),
            (Say(status=529), True),
            (Say(status=429, headers={"retry-after": "7"}), True),
            (Say(status=401), False),
            (Say(status=403), False),
            (Say(status=404), False),
            (Say("no such thing", status=400), False),
            (Say(status=302, headers={"location": "http://169.254.169.254/"}), False),
            (Say(raw=b"<html><body>Welcome</body></html>"), True),
            (Say(raw=b""), True),
            (Say(raw=b"[1, 2]"), True),
            (Say(raw=b'{"a":' * 100_000), True),
            (Say(raw=b"x" * 5_000_000), True),
            (Say(breaks_off=True), True),
        ],
        ids=repr,
    )
    async def test_tells_what_is_worth_another_try(
        self, server: ModelServer, model: LanguageModel, say: Say, retryable: bool
    ) -> None:
        server.otherwise = lambda _: say
        with pytest.raises(ModelFailed) as failed:
            await model.ask(QUESTION)
        assert failed.value.retryable is retryable
        assert "<html" not in failed.value.message
        assert "key-of" not in failed.value.message
        if "retry-after" in say.headers:
            assert failed.value.retry_after_seconds == 7

    @pytest.mark.parametrize(
        "raw", [b"{}", b'{"choices": 3}', b'{"content": [3]}', b'{"candidates": [{"content": 1}]}']
    )
    async def test_reads_nothing_out_of_an_answer_of_another_shape(
        self, server: ModelServer, model: LanguageModel, raw: bytes
    ) -> None:
        server.script.append(Say(raw=raw))
        assert (await model.ask(QUESTION)).text == ""

    async def test_does_not_wait_for_ever(self, server: ModelServer, client: httpx.AsyncClient) -> None:
        model = catalog(client, server.url, timeout_seconds=0.2).find(self.provider, "m-1")
        assert model is not None
        server.script.append(Say(hangs=True))
        with pytest.raises(ModelFailed, match=r"did not answer within 0\.2 s"):
            await model.ask(QUESTION)

    async def test_tells_that_nobody_is_there(self, client: httpx.AsyncClient) -> None:
        model = catalog(client, "http://127.0.0.1:9").find(self.provider, "m-1")
        assert model is not None
        with pytest.raises(ModelFailed, match="cannot be reached"):
            await model.ask(QUESTION)

    # --- with repair -------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize(
        "first", ["", "I am sorry, I cannot.", '{"n": "two"}', '{"n": 1, "x": 2}', "```json\n{\n```", '{"n": NaN}']
    )
    async def test_is_told_what_was_wrong_and_asked_again(
        self, server: ModelServer, model: LanguageModel, first: str
    ) -> None:
        server.script.extend([Say(first), Say({"n": 2})])
        assert await ask_for(model, QUESTION, pause=Pauses()) == {"n": 2}
        assert "Your last answer was not usable" in server.asked[1].instructions

    @pytest.mark.parametrize("text", ['```json\n{"n": 2}\n```', 'Sure! Here it is: {"n": 2} Anything else?'])
    async def test_is_understood_within_chatter(self, server: ModelServer, model: LanguageModel, text: str) -> None:
        server.script.append(Say(text))
        assert await ask_for(model, QUESTION, pause=Pauses()) == {"n": 2}

    async def test_is_given_up_on_after_a_few_tries(self, server: ModelServer, model: LanguageModel) -> None:
        server.otherwise = lambda _: Say("nonsense")
        with pytest.raises(Nonsense):
            await ask_for(model, QUESTION, pause=Pauses())
        assert len(server.asked) == 3

    async def test_gets_more_room_when_it_was_cut_short(self, server: ModelServer, model: LanguageModel) -> None:
        server.script.extend([Say('{"n":', cut_short=True), Say({"n": 2})])
        assert await ask_for(model, QUESTION, pause=Pauses()) == {"n": 2}
        assert server.asked[1].most_tokens > server.asked[0].most_tokens

    async def test_is_asked_again_after_the_pause_that_it_wants(
        self, server: ModelServer, model: LanguageModel
    ) -> None:
        server.script.extend([Say(status=429, headers={"retry-after": "7"}), Say(status=503), Say({"n": 2})])
        pauses = Pauses()
        assert await ask_for(model, QUESTION, pause=pauses) == {"n": 2}
        assert pauses.seconds == [7, 2]

    async def test_is_not_asked_again_with_a_wrong_key(self, server: ModelServer, model: LanguageModel) -> None:
        server.otherwise = lambda _: Say(status=401)
        with pytest.raises(ModelFailed):
            await ask_for(model, QUESTION, pause=Pauses())
        assert len(server.asked) == 1


class TestOpenAiCompatible(LanguageModelPromises):
    provider, path = OPENAI, "/v1/chat/completions"

    async def test_leaves_out_what_a_server_does_not_take(self, server: ModelServer, model: LanguageModel) -> None:
        server.script.extend(
            [
                Say("Unsupported parameter: use max_completion_tokens", status=400),
                Say("response_format json_schema is not supported", status=400),
                Say({"n": 2}),
                Say({"n": 3}),
            ]
        )
        assert (await model.ask(QUESTION)).text == '{"n": 2}'
        await model.ask(QUESTION)
        last = server.asked[-1].body
        assert len(server.asked) == 4
        assert last["max_completion_tokens"] == 100
        assert last["response_format"] == {"type": "json_object"}
        assert '"integer"' in server.asked[-1].instructions


class TestAnthropic(LanguageModelPromises):
    provider, path = ANTHROPIC, "/v1/messages"

    async def test_makes_the_model_use_the_answers_tool(self, server: ModelServer, model: LanguageModel) -> None:
        server.script.append(Say({"n": 2}))
        await model.ask(QUESTION)
        body = server.asked[0].body
        assert body["tools"][0]["input_schema"] == SCHEMA
        assert body["tool_choice"] == {"type": "tool", "name": "answer"}

    async def test_tells_that_it_declined(self, server: ModelServer, model: LanguageModel) -> None:
        server.script.append(Say("no", declined=True))
        with pytest.raises(Nonsense):
            await model.ask(QUESTION)


class TestGemini(LanguageModelPromises):
    provider, path = GEMINI, "/v1beta/models/m-1:generateContent"

    async def test_does_without_a_schema_that_it_does_not_take(self, server: ModelServer, model: LanguageModel) -> None:
        server.script.extend([Say("Unknown name in response_json_schema", status=400), Say({"n": 2})])
        assert (await model.ask(QUESTION)).text == '{"n": 2}'
        assert "responseJsonSchema" not in server.asked[1].body["generationConfig"]

    async def test_tells_that_it_declined(self, server: ModelServer, model: LanguageModel) -> None:
        server.script.append(Say("no", declined=True))
        with pytest.raises(Nonsense):
            await model.ask(QUESTION)


class TestTheCatalog:
    def test_has_no_model_unless_one_is_named(self, client: httpx.AsyncClient) -> None:
        assert catalog(client, "http://x").find(None, None) is None

    def test_knows_providers_by_their_other_names(self, client: httpx.AsyncClient) -> None:
        found = catalog(client, "http://x").find("google", None)
        assert found is not None
        assert found.name == "gemini:gemini-2.5-flash"

    def test_has_a_default(self, client: httpx.AsyncClient) -> None:
        found = catalog(client, "http://x", default="openai:gpt-x").find(None, None)
        assert found is not None
        assert found.name == "openai:gpt-x"

    async def test_asks_a_server_of_ones_own_with_the_key_for_it_alone(
        self, server: ModelServer, client: httpx.AsyncClient
    ) -> None:
        model = catalog(client, "http://x", default=f"openai:{server.url}/v1#llama3.2").find(None, None)
        assert model is not None
        server.script.append(Say({"n": 1}))
        await model.ask(QUESTION)
        assert server.asked[0].body["model"] == "llama3.2"
        assert server.asked[0].headers["Authorization"] == "Bearer key-of-default"

    @pytest.mark.parametrize("name", ["http://evil/x", "../../secret", "a b", "m?key=1", "m#x", "\n", "a" * 200])
    def test_takes_no_address_from_a_tenant(self, client: httpx.AsyncClient, name: str) -> None:
        with pytest.raises(ModelNotConfigured):
            catalog(client, "http://x").find(OPENAI, name)

    @pytest.mark.parametrize("provider", ["nobody", "", "sarvam"])
    def test_says_which_provider_it_does_not_have(self, client: httpx.AsyncClient, provider: str) -> None:
        with pytest.raises(ModelNotConfigured):
            catalog(client, "http://x").find(provider, None)

    def test_says_that_a_key_is_missing(self, client: httpx.AsyncClient) -> None:
        found = ModelCatalog(client, {OPENAI: ProviderAccess("http://x")})
        with pytest.raises(ModelNotConfigured, match="no key"):
            found.find(OPENAI, None)

    def test_is_trouble_and_not_a_bug(self) -> None:
        trouble: list[Any] = [ModelFailed, Nonsense]
        assert all(issubclass(each, ModelTrouble) for each in trouble)
