"""`python -m carrierbox` as a process: it starts, says so, refuses to start with one sentence, and stops when told."""

import asyncio
import json
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process

import aiohttp
import pytest

from carrierbox.settings import BadSetting, Settings, read_settings


async def start(*arguments: str) -> Process:
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "carrierbox", *arguments, stderr=PIPE)


class TestTheProcess:
    async def test_serves_until_it_is_told_to_stop(self, http: aiohttp.ClientSession) -> None:
        process = await start("--port", "0")
        assert process.stderr is not None
        async with asyncio.timeout(20):
            ready = json.loads(await process.stderr.readline())
        assert (ready["message"], ready["level"]) == ("ready", "info")
        async with http.get(f"{ready['address']}/healthz") as response:
            assert response.status == 200
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            rest = await process.stderr.read()
            assert await process.wait() == 0
        assert [json.loads(line)["message"] for line in rest.splitlines()] == ["stopping"]

    async def test_says_in_one_sentence_that_its_port_is_taken(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            process = await start("--port", str(port))
            async with asyncio.timeout(20):
                _, said = await process.communicate()
        assert process.returncode == 2
        assert said.decode().startswith(f"carrierbox: Port {port} on 127.0.0.1 is not free")
        assert len(said.splitlines()) == 1


class TestSettings:
    def test_come_from_the_command_line_before_the_environment(self) -> None:
        environment = {"CARRIERBOX_PORT": "7301", "CARRIERBOX_MAX_CALLS": "5"}
        settings = read_settings(["--port", "7302"], environment)
        assert (settings.port, settings.max_calls, settings.speed) == (7302, 5, 1.0)

    def test_say_yes_or_no(self) -> None:
        environment = {"CARRIERBOX_TWILIO_SIGNS_PORTS": "false"}
        assert not read_settings([], environment).twilio_signs_ports
        assert read_settings(["--twilio-signs-ports", "true"], environment).twilio_signs_ports

    @pytest.mark.parametrize(
        ("arguments", "environment"),
        [
            (["--host", "0.0.0.0"], {}),
            (["--speed", "0"], {}),
            ([], {"CARRIERBOX_PORT": "many"}),
            ([], {"CARRIERBOX_TWILIO_SIGNS_PORTS": "maybe"}),
            ([], {"CARRIERBOX_MAX_CALLS": "0"}),
        ],
    )
    def test_that_cannot_be_are_refused(self, arguments: list[str], environment: dict[str, str]) -> None:
        with pytest.raises(BadSetting):
            read_settings(arguments, environment)

    def test_open_the_door_to_others_only_with_a_token(self) -> None:
        assert Settings(host="0.0.0.0", control_token="t").host == "0.0.0.0"
