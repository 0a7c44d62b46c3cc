"""A call is refused where its agent's engines cannot run: `POST /v1/calls` and the batch."""

import pytest
from tests.support.asking import Customer, web
from tests.support.calling import count_calls

from rymi_server.foundation.database import Database


class TestAnAgentWhoseEnginesAreNotReady:
    async def test_is_not_called_and_it_is_said_what_mends_it(self, acme: Customer, database: Database) -> None:
        agent = await acme.new_agent(stt_provider="deepgram", stt_model="nova-3")
        answer = await acme.post("/v1/calls", {"agent_id": agent, "participants": [web()]})
        assert answer.status_code == 409
        body = answer.json()
        assert body["code"] == "engine_not_ready"
        assert any("DEEPGRAM_API_KEY" in line or "providers" in line for line in body["missing"])
        assert await count_calls(database, acme) == 0

    @pytest.mark.parametrize("fields", [{"stt_provider": "siri"}, {"tts_model": "best"}, {"llm_provider": "deepgram"}])
    async def test_is_refused_where_it_names_no_engine(self, acme: Customer, fields: dict[str, str]) -> None:
        agent = await acme.new_agent(**fields)
        answer = await acme.post("/v1/calls", {"agent_id": agent, "participants": [web()]})
        assert (answer.status_code, answer.json()["code"]) == (400, "unknown_engine")

    async def test_is_not_called_in_a_batch_either(self, acme: Customer, database: Database) -> None:
        agent = await acme.new_agent(tts_provider="vosk")
        body = {"agent_id": agent, "from_number": "+12025550199", "recipients": [{"phone_number": "+12025550100"}]}
        answer = await acme.post("/v1/calls/batch", body)
        assert (answer.status_code, answer.json()["code"]) == (400, "unknown_engine"), answer.text
        assert await count_calls(database, acme) == 0
