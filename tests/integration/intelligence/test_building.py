"""What a worker reads finished calls with: `entrypoints/analysing.py`."""

import pytest
from tests.support.model_server import ModelServer, Say
from tests.unit.intelligence.past_conversations import CLINIC, entries

from rymi_server.entrypoints.analysing import analyst
from rymi_server.entrypoints.settings import Settings, WrongSettings, read_settings
from rymi_server.intelligence.analysis import AnalysisRequest

CALL = AnalysisRequest(entries(CLINIC[0][0]), {"summary": {"enabled": True}})


class TestAnalyst:
    async def test_reads_without_a_model_where_none_is_set(self) -> None:
        async with analyst(Settings()) as analyse:
            result = await analyse(CALL)
        assert result.methods["summary"] == {"method": "heuristic", "model": None}

    async def test_asks_the_model_that_is_set(self) -> None:
        server = ModelServer()
        await server.start()
        server.otherwise = lambda _: Say({"summary": "Sarah booked.", "sentiment": "positive"})
        async with analyst(Settings(analysis_model=f"openai:{server.url}/v1#llama3.2")) as analyse:
            result = await analyse(CALL)
        await server.stop()
        assert result.summary == "Sarah booked."
        assert result.methods["summary"] == {"method": "model", "model": "openai:llama3.2"}

    def test_refuses_a_setting_that_names_no_provider(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RYMI_ANALYSIS_MODEL", "gpt-4")
        with pytest.raises(WrongSettings):
            read_settings()
