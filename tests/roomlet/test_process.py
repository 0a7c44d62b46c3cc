"""`python -m roomlet` as operators meet it."""

import asyncio
import json
import os
import signal
import socket
import sys

import aiohttp
import pytest
from tests.roomlet.comparing import RealLiveKit as Address
from tests.roomlet.people import gathering, new_name
from tests.roomlet.running import KEY, SECRET, roomlet
from tests.roomlet.waiting import eventually, within

from roomlet.server import Server
from roomlet.settings import Settings

pytestmark = pytest.mark.xdist_group("roomlet-process")


async def run(*flags: str, **environment: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "roomlet",
        *flags,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "LIVEKIT_API_KEY": KEY, "LIVEKIT_API_SECRET": SECRET, **environment},
    )
    _, error = await within("roomlet gives up", process.communicate(), 20)
    assert process.returncode is not None
    return process.returncode, error.decode()


class TestStarting:
    @pytest.mark.parametrize(("flag", "kind"), [("--http-port", "tcp"), ("--udp-port", "udp"), ("--tcp-port", "tcp")])
    async def test_a_taken_port_ends_it_with_one_sentence(self, flag: str, kind: str) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            if kind == "tcp":
                taken.listen()
            port = str(taken.getsockname()[1])
            flags = {
                "--http-port": "0",
                "--udp-port": "0",
                "--tcp-port": "0",
                "--media-addresses": "127.0.0.1",
                flag: port,
            }
            status, error = await run(*(word for pair in flags.items() for word in pair))
        assert status == 3
        said = error.splitlines()[-1]
        assert said.startswith("roomlet: ")
        assert f"port {port} on 127.0.0.1 is taken" in said

    async def test_wrong_settings_end_it_with_one_sentence(self) -> None:
        status, error = await run(LIVEKIT_API_SECRET="short")
        assert (status, error) == (2, "roomlet: LIVEKIT_API_SECRET must be at least 32 bytes long.\n")


class TestInsideATest:
    async def test_the_readme_s_sample_serves_a_call(self) -> None:
        """In the test's own loop, which is asyncio's and not uvloop's."""
        server = Server(Settings(KEY, SECRET, http_port=0, udp_port=0, tcp_port=0))
        await server.open()
        try:
            address = Address(server.url.replace("http", "ws", 1), KEY, SECRET)
            async with gathering(address, new_name()) as come:
                ann, ben = await come("ann"), await come("ben")
                await ann.play(440)
                await ben.hears("ann", 440)
                assert len(server.rooms.all()) == 1
        finally:
            await server.close()
        assert server.rooms.all() == []


class TestRunning:
    async def test_health_and_metrics_tell_how_full_it_is(self) -> None:
        name = new_name()
        async with roomlet() as running, gathering(running, name) as come:
            ann, ben = await come("ann"), await come("ben")
            await ann.play(440)
            await ben.hears("ann", 440)
            async with aiohttp.ClientSession() as http, http.get(f"{running.http_url}/healthz") as response:
                assert (response.status, await response.json()) == (
                    200,
                    {"status": "ok", "rooms": 1, "participants": 2, "workers": 0},
                )
            metrics = await running.metrics()
            assert (metrics["roomlet_rooms"], metrics["roomlet_participants"]) == (1, 2)
            assert metrics["roomlet_packets_forwarded_total"] > 10
            assert metrics["roomlet_packets_missing_total"] == 0
            assert 0 <= metrics["roomlet_loop_lag_seconds"] < 5

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    async def test_it_stops_cleanly(self, number: int) -> None:
        async with roomlet() as running:
            assert await running.stop(number) == 0
            await eventually("the last word", lambda: running.log[-1]["message"] == "roomlet has stopped")

    async def test_logs_are_lines_of_json_without_identities(self) -> None:
        name = new_name()
        async with roomlet("--log-level", "debug") as running:
            async with gathering(running, name) as come:
                await come("a-very-secret-identity")
            await running.stop()
            assert "text" not in {line["level"] for line in running.log}
            assert "a-very-secret-identity" not in json.dumps(running.log)
