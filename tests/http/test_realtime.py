"""The removed realtime endpoints."""

import httpx
import pytest


class TestRealtimeTokens:
    @pytest.mark.parametrize("path", ["/v1/realtime/token", "/v1/webrtc/token"])
    async def test_are_gone_and_say_where_to_go(self, http: httpx.AsyncClient, path: str) -> None:
        answer = await http.post(path, json={"agent_id": "550e8400-e29b-41d4-a716-446655440000"})
        assert answer.status_code == 410
        assert answer.json() == {
            "error": "Gone",
            "code": "realtime_token_removed",
            "message": "POST /v1/realtime/token has been removed. "
            "Initiate WebRTC sessions via POST /v1/calls with a webrtc participant.",
            "migration_url": "https://docs.rymi.io/api/calls#webrtc",
        }
