"""A laboratory: a hand at the box's control API."""

from typing import Any

import aiohttp
from tests.carrierbox.sound import Samples, read_wav

from carrierbox.box import Box

# Somebody who picks up at once and says nothing.
SILENT = "+12025550132"


class Lab:
    def __init__(self, http: aiohttp.ClientSession, box: Box, address: str) -> None:
        self.http = http
        self.box = box
        self.address = address

    async def get(self, path: str, **query: str) -> Any:
        async with self.http.get(f"{self.address}/control{path}", params=query) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def send(self, method: str, path: str, body: object = None) -> Any:
        async with self.http.request(method, f"{self.address}/control{path}", json=body) as response:
            assert response.status < 300, await response.text()
            return await response.json() if response.status != 204 else None

    async def call_until(self, call_id: str, state: str) -> Any:
        return await self.get(f"/calls/{call_id}", until=state, timeout_s="20")

    async def call_until_event(self, call_id: str, event: str) -> Any:
        return await self.get(f"/calls/{call_id}", event=event, timeout_s="20")

    async def heard(self, call_id: str) -> Samples:
        async with self.http.get(f"{self.address}/control/calls/{call_id}/heard.wav") as response:
            return read_wav(await response.read())[:, 0]

    async def script(self, number: str, *moves: dict[str, object], **rest: object) -> None:
        await self.send("PUT", f"/scripts/{number}", {"moves": list(moves), "ring_ms": 100, **rest})


def events(call: Any) -> list[str]:
    return [entry["event"] for entry in call["timeline"]]
