"""`/v1/agents`."""

from typing import Any

import pytest
from tests.support.asking import Customer, phone, web

from rymi_server.calls.models import CallStatus
from rymi_server.http.v1.agent_bodies import TURN_DETECTORS

AGENTS = "/v1/agents"
# Of an agent of which nothing was said.
BARE = ["agent_role", "compiled_prompt", "created_at", "id", "name", "raw_system_prompt", "updated_at"]
WEBHOOK = {"name": "find", "description": "Finds.", "url": "https://shop.example.com/"}
EVERY_FIELD: dict[str, Any] = {
    "agent_role": "specialist",
    "system_prompt": "You are Aria. {{name}} is calling.",
    "voice": "en-us",
    "language": "en-US",
    "supported_languages": ["en-US", "de-DE"],
    "llm_provider": "openai",
    "llm_model": "gpt-4o-mini",
    "llm_fallback_provider": "gemini",
    "llm_fallback_model": "gemini-2.5-flash",
    "stt_provider": "deepgram",
    "stt_model": "nova-3",
    "stt_fallback_provider": "openai",
    "stt_fallback_model": "whisper-1",
    "tts_provider": "cartesia",
    "tts_model": "sonic-2",
    "tts_fallback_provider": "elevenlabs",
    "tts_fallback_model": "eleven_flash_v2_5",
    "custom_llm_url": "https://models.example.com/v1",
    "custom_voice_url": "wss://voices.example.com/",
    "custom_transcriber_url": "http://localhost:9000/",
    "custom_voice_mode": "openai-compat",
    "persona": {"name": "Aria", "tone": "warm"},
    "playbook": {"opener": "Hello, {{name}}."},
    "advanced": {"turnDetectorMode": "balanced", "temperature": 0.3, "anything": {"else": [1, None]}},
    "features": {"recording_enabled": True, "anything": "else"},
    "post_call": {"recording": {"enabled": True}, "summary": {"enabled": True, "prompt": "Short."}},
    "tools": [
        {"tool_id": "handoff_to_human", "enabled": True, "provider_settings": {"number": "+15551234567"}},
        {
            "tool_id": "call_webhook",
            "timeout_ms": 3_000,
            "side_effect": "read",
            "provider_settings": {
                "name": "find_order",
                "description": "Finds an order by its number.",
                "url": "https://shop.example.com/orders",
                "method": "GET",
                "headers": {"Authorization": "Bearer x"},
                "parameters": {"type": "object", "properties": {"number": {"type": "string"}}},
            },
        },
    ],
    "variables": [{"key": "name", "type": "string", "default": "friend", "anything": 1}],
    "chat_summary": "A helpful agent.",
}


async def get(customer: Customer, agent_id: str) -> dict[str, Any]:
    answer = await customer.get(f"{AGENTS}/{agent_id}")
    assert answer.status_code == 200, answer.text
    agent: dict[str, Any] = answer.json()
    return agent


async def put(customer: Customer, agent_id: str, **change: Any) -> dict[str, Any]:
    """The agent as it is after the change."""
    answer = await customer.ask("PUT", f"{AGENTS}/{agent_id}", json=change)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"status": "updated", "id": agent_id}
    return await get(customer, agent_id)


class TestCreating:
    async def test_needs_a_name_and_nothing_else(self, acme: Customer) -> None:
        answer = await acme.post(AGENTS, {"name": "Aria"})
        assert answer.status_code == 201
        created = answer.json()
        assert created == {"status": "created", "id": created["id"]}
        agent = await get(acme, created["id"])
        assert agent.pop("created_at").endswith("Z")
        assert agent.pop("updated_at").endswith("Z")
        assert agent.pop("compiled_prompt").startswith("You are a voice assistant.")
        assert agent == {"id": created["id"], "name": "Aria", "agent_role": "operator", "raw_system_prompt": None}

    async def test_keeps_every_field_as_it_was_sent(self, acme: Customer) -> None:
        agent = await get(acme, await acme.new_agent(**EVERY_FIELD))
        assert {name: agent[name] for name in EVERY_FIELD} == EVERY_FIELD

    async def test_takes_a_playbook_of_a_quarter_of_a_megabyte(self, acme: Customer) -> None:
        playbook = {"x": "é" * 131_068}
        assert (await get(acme, await acme.new_agent(playbook=playbook)))["playbook"] == playbook

    async def test_shows_the_prompt_that_a_model_is_told(self, acme: Customer) -> None:
        shown = await get(acme, await acme.new_agent(**EVERY_FIELD))
        assert shown["raw_system_prompt"] == EVERY_FIELD["system_prompt"]
        assert "You are Aria" in shown["compiled_prompt"]
        assert "friend is calling." in shown["compiled_prompt"]

    async def test_shows_a_raw_prompt_as_it_is(self, acme: Customer) -> None:
        raw = {"system_prompt": "Just {{this}}.", "advanced": {"prompt_mode": "raw"}}
        shown = await get(acme, await acme.new_agent(**raw))
        assert shown["compiled_prompt"] == "Just {{this}}."

    async def test_takes_null_for_whatever_may_be_left_out(self, acme: Customer) -> None:
        agent = await get(acme, await acme.new_agent(**dict.fromkeys(EVERY_FIELD)))
        assert sorted(agent) == BARE
        assert agent["agent_role"] == "operator"

    async def test_takes_settings_for_an_older_word_for_advanced(self, acme: Customer) -> None:
        agent = await get(acme, await acme.new_agent(settings={"temperature": 1}))
        assert agent["advanced"]["temperature"] == 1
        assert "settings" not in agent

    @pytest.mark.parametrize(("older", "newer"), TURN_DETECTORS.items())
    async def test_keeps_turn_detectors_under_their_newer_names(self, acme: Customer, older: str, newer: str) -> None:
        agent = await get(acme, await acme.new_agent(advanced={"turnDetectorMode": older}))
        assert agent["advanced"]["turnDetectorMode"] == newer

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            *(("name", value) for value in (None, "", "x" * 257, 5)),
            *(("voice", value) for value in ("x" * 257, 5)),
            *(("agent_role", value) for value in ("", 5)),
            *(("custom_llm_url", value) for value in ("http://models.example.com", "ftp://x", "models", 5)),
            ("stt_model", "openai:http://169.254.169.254/v1#whisper-1"),
            ("tts_model", "openai:http://10.0.0.1:8000/v1#tts-1@nova"),
            ("llm_model", "http://models.example.com/v1#llama"),
            *(("custom_voice_mode", value) for value in ("mine", 5)),
            *(("advanced", value) for value in ("fast", {"turnDetectorMode": "psychic"}, {"temperature": 3})),
            *(("advanced", {"maxCallDuration": value}) for value in (-1, 10**10, 10**400, "60", True, [60])),
            *(("advanced", {"stt_confidence_threshold": value}) for value in (-0.1, 1.1, "0.5", True)),
            *(
                ("advanced", {f"stt_{name}": "yes"})
                for name in ("numeral_formatting", "profanity_filter", "background_denoising")
            ),
            *((field, {"x": "é" * 131_069}) for field in ("persona", "playbook", "advanced", "features")),
            ("tools", [{"tool_id": "opt_out", "x": "y" * 2_700} for _ in range(100)]),
            *(("features", value) for value in ("all", {"recording_enabled": "yes"})),
            *(("post_call", value) for value in ("all", {"recording": True})),
            *(
                ("tools", value)
                for value in ({}, ["transfer"], [{"tool_id": "opt_out"}] * 101, [{}], [{"tool_id": "x"}])
            ),
            *(("tools", [{"tool_id": "opt_out", "timeout_ms": value}]) for value in (999, 10_001, "2000")),
            ("tools", [{"tool_id": "call_webhook"}]),
            ("tools", [{"tool_id": "call_webhook", "provider_settings": {**WEBHOOK, "url": "https://10.0.0.1/"}}]),
            (
                "tools",
                [{"tool_id": "call_webhook", "provider_settings": {**WEBHOOK, "url": "http://shop.example.com"}}],
            ),
            *(("variables", value) for value in ({}, ["name"], [{"key": "k"}] * 201, [{}], [{"key": "a b"}])),
            ("variables", [{"key": "plan", "type": "enum"}]),
            *(("supported_languages", value) for value in ("en", [5], ["en"] * 101)),
            ("system_prompt", "x" * 100_001),
        ],
    )
    async def test_refuses_what_is_wrong(self, acme: Customer, field: str, value: object) -> None:
        answer = await acme.post(AGENTS, {"name": "Aria", field: value})
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
        assert answer.json()["details"][0]["field"].startswith(field)
        assert (await acme.get(AGENTS)).json()["total"] == 0

    async def test_refuses_the_raw_prompt_mode_without_a_prompt(self, acme: Customer) -> None:
        answer = await acme.post(AGENTS, {"name": "Aria", "advanced": {"prompt_mode": "raw"}})
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")

    async def test_refuses_an_extraction_by_a_schema_that_is_none(self, acme: Customer) -> None:
        extraction = {"enabled": True, "json_schema": {"type": "no such type"}}
        answer = await acme.post(AGENTS, {"name": "Aria", "post_call": {"structured_extraction": extraction}})
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")


class TestListing:
    async def test_shows_the_newest_first_with_what_a_list_needs(self, acme: Customer, rival: Customer) -> None:
        await rival.new_agent()
        await acme.new_agent()
        newest = await acme.new_agent(**EVERY_FIELD)
        page = (await acme.get(f"{AGENTS}?limit=1")).json()
        (agent,) = page.pop("agents")
        assert page == {"total": 2, "offset": 0, "limit": 1}
        assert agent.pop("created_at").endswith("Z")
        shown = {name: EVERY_FIELD[name] for name in ("voice", "llm_provider", "llm_model", "agent_role", "language")}
        assert agent == {"id": newest, "name": "Aria", **shown}
        (older,) = (await acme.get(f"{AGENTS}?limit=1&offset=1")).json()["agents"]
        assert (older["voice"], older["agent_role"]) == (None, "operator")


class TestChanging:
    async def test_changes_only_what_is_sent(self, acme: Customer) -> None:
        agent_id = await acme.new_agent(**EVERY_FIELD)
        before = await get(acme, agent_id)
        after = await put(acme, agent_id, name="Ben", voice="de")
        assert after["updated_at"] > before["updated_at"]
        assert {**after, "updated_at": None} == {**before, "name": "Ben", "voice": "de", "updated_at": None}

    async def test_takes_back_what_is_set_to_null(self, acme: Customer) -> None:
        agent_id = await acme.new_agent(**EVERY_FIELD)
        after = await put(acme, agent_id, **dict.fromkeys(EVERY_FIELD))
        assert sorted(after) == BARE
        assert after["agent_role"] == "operator"

    async def test_of_nothing_changes_nothing(self, acme: Customer) -> None:
        agent_id = await acme.new_agent(**EVERY_FIELD)
        before = await get(acme, agent_id)
        after = await put(acme, agent_id)
        assert {**after, "updated_at": None} == {**before, "updated_at": None}

    async def test_refuses_what_is_wrong_and_changes_nothing(self, acme: Customer) -> None:
        agent_id = await acme.new_agent()
        answer = await acme.ask("PUT", f"{AGENTS}/{agent_id}", json={"name": "Ben", "voice": 5})
        assert (answer.status_code, answer.json()["details"][0]["field"]) == (400, "voice")
        assert (await get(acme, agent_id))["name"] == "Aria"

    async def test_does_not_reach_calls_that_were_made_before(self, acme: Customer) -> None:
        agent_id = await acme.new_agent()
        call = (await acme.post("/v1/calls", {"agent_id": agent_id, "participants": [web()]})).json()
        await put(acme, agent_id, name="Ben")
        assert (await acme.get(f"/v1/calls/{call['id']}")).json()["agent"]["name"] == "Aria"


class TestDeleting:
    async def test_makes_the_agent_nobodys(self, acme: Customer) -> None:
        agent_id = await acme.new_agent()
        answer = await acme.ask("DELETE", f"{AGENTS}/{agent_id}")
        assert (answer.status_code, answer.json()) == (200, {"status": "deleted", "id": agent_id})
        assert (await acme.get(AGENTS)).json()["agents"] == []
        for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/clone"), ("GET", "/calls")):
            body = {"json": {}} if method == "PUT" else {}
            assert (await acme.ask(method, f"{AGENTS}/{agent_id}{path}", **body)).status_code == 404
        refused = await acme.post("/v1/calls", {"agent_id": agent_id, "participants": [web()]})
        assert (refused.status_code, refused.json()["code"]) == (404, "not_found")

    async def test_keeps_its_calls(self, acme: Customer) -> None:
        agent_id = await acme.new_agent()
        call = (await acme.post("/v1/calls", {"agent_id": agent_id, "participants": [web()]})).json()
        await acme.ask("DELETE", f"{AGENTS}/{agent_id}")
        assert (await acme.get(f"/v1/calls/{call['id']}")).json()["agent"] == {"id": agent_id, "name": "Aria"}


class TestCloning:
    async def test_makes_another_of_the_same_kind(self, acme: Customer) -> None:
        original = await acme.new_agent(**EVERY_FIELD)
        answer = await acme.post(f"{AGENTS}/{original}/clone")
        assert (answer.status_code, answer.json()["status"]) == (201, "created")
        copy = await get(acme, answer.json()["id"])
        assert copy["id"] != original
        assert copy["name"] == "Aria (Copy)"
        assert {name: copy[name] for name in EVERY_FIELD} == EVERY_FIELD

    async def test_keeps_the_name_within_bounds(self, acme: Customer) -> None:
        original = (await acme.post(AGENTS, {"name": "x" * 256})).json()["id"]
        copy = (await acme.post(f"{AGENTS}/{original}/clone", {})).json()["id"]
        name = (await get(acme, copy))["name"]
        assert (len(name), name[-7:]) == (256, " (Copy)")


class TestCallsOfAnAgent:
    async def test_are_those_of_this_agent_newest_first(self, acme: Customer) -> None:
        agent, other = await acme.new_agent(), await acme.new_agent()
        for agent_id, people in ((agent, [web()]), (agent, [phone()]), (other, [web()])):
            await acme.post("/v1/calls", {"agent_id": agent_id, "participants": people})
        page = (await acme.get(f"{AGENTS}/{agent}/calls?limit=1")).json()
        (newest,) = page.pop("calls")
        assert page.pop("next_cursor") == newest["id"]
        assert page == {"total": 2, "offset": 0, "limit": 1, "agent_id": agent}
        assert newest["primary_participant"] == {"identity": "+15551234567", "transport": "pstn"}
        queued = (await acme.get(f"{AGENTS}/{agent}/calls?status=queued")).json()
        assert [call["id"] for call in queued["calls"]] == [newest["id"]]
        assert queued["total"] == 1

    async def test_can_be_filtered_by_any_status_and_nothing_else(self, acme: Customer) -> None:
        agent = await acme.new_agent()
        for status in CallStatus:
            assert (await acme.get(f"{AGENTS}/{agent}/calls?status={status}")).json()["total"] == 0
        assert (await acme.get(f"{AGENTS}/{agent}/calls?status=over")).status_code == 400


class TestLlmOptions:
    async def test_offers_what_works_without_an_account_first(self, acme: Customer) -> None:
        answer = await acme.get(f"{AGENTS}/llm-options")
        assert answer.status_code == 200
        options = answer.json()
        playbook, first_voice = options["models"][0], options["voices"][0]
        assert (playbook["id"], playbook["provider_id"], playbook["byok_required"]) == ("playbook", "playbook", False)
        assert (first_voice["provider"], first_voice["byok_required"]) == ("espeak", False)
        demo = [each for each in (*options["models"], *options["voices"]) if not each["byok_required"]]
        assert all("demo" in each["label"] for each in demo)
        assert {model["provider_id"] for model in options["models"]} == {"playbook", "openai", "anthropic", "gemini"}
        voiced = {"espeak", "openai", "gemini", "deepgram", "elevenlabs", "cartesia"}
        assert {voice["provider"] for voice in options["voices"]} == voiced
        assert {tuple(sorted(voice)) for voice in options["voices"]} == {
            ("byok_required", "gender", "id", "label", "name", "preview_url", "provider", "supported_model_ids")
        }

    async def test_names_nothing_twice_and_everything_as_an_agent_takes_it(self, acme: Customer) -> None:
        options = (await acme.get(f"{AGENTS}/llm-options")).json()
        models = [(model["provider_id"], model["id"]) for model in options["models"]]
        voices = [(voice["provider"], voice["id"]) for voice in options["voices"]]
        assert len(set(models)) == len(models)
        assert len(set(voices)) == len(voices)
        for provider, model in models:
            await acme.new_agent(llm_provider=provider, llm_model=model)
        for provider, voice in voices:
            await acme.new_agent(tts_provider=provider, voice=voice)
