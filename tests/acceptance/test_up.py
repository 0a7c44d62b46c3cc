"""`rymi up`: one command, from an empty folder to a call, and back to an empty process table."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess

import httpx
from tests.support.up import Up, gated_postgres, is_alive, kill
from tests.support.waiting import wait_for


def was_shut_down(up: Up) -> bool:
    """PostgreSQL, so that its next start has nothing to recover."""
    return (up.folder / "postgres.log").read_text().strip().endswith("database system is shut down")


class TestTheFirstStart:
    def test_prints_a_line_that_makes_a_call_as_it_is_printed(self, up: Up) -> None:
        called = subprocess.run(["sh", "-c", up.printed_curl()], capture_output=True, text=True, check=True)
        call = json.loads(called.stdout)
        assert call["status"] == "connecting"
        access = call["participants"][0]["access"]
        room_server = access["url"].replace("ws://", "http://")
        entered = httpx.get(f"{room_server}/rtc/validate", params={"access_token": access["token"]})
        assert (entered.status_code, entered.text) == (200, "success")

    def test_leaves_credit_an_agent_and_its_number(self, up: Up) -> None:
        assert "25.00" in up.command("credits", "show", "--tenant", "Demo").stdout
        with up.customer() as customer:
            assert customer.get(f"/v1/agents/{up.agent()}").json()["playbook"]["opener"]
            called = customer.post(
                "/v1/calls",
                json={"agent_id": up.agent(), "participants": [{"transport": "pstn", "identity": "+12025550100"}]},
            )
        assert called.status_code == 202, called.text

    def test_keeps_its_secrets_to_itself(self, up: Up) -> None:
        secrets = up.folder / "secrets.env"
        assert secrets.stat().st_mode & 0o777 == 0o600
        assert {line.partition("=")[0] for line in secrets.read_text().splitlines() if "=" in line} >= {"RYMI_SECRET"}


class TestWhileItRuns:
    def test_a_second_one_on_the_same_folder_is_refused(self, up: Up) -> None:
        refused = up.command("up")
        assert refused.returncode == 1
        assert re.fullmatch(rf"rymi: Another `rymi up` \(process \d+\) runs on {up.folder}.*\n", refused.stderr)

    def test_its_worker_tells_its_numbers(self, up: Up) -> None:
        with up.customer() as customer:
            numbers = customer.get(f"http://127.0.0.1:{up.worker_port}/metrics").text
        assert 'rymi_jobs{queue="periodic"' in numbers
        assert "rymi_live_calls" in numbers
        assert "rymi_database_connections_in_use" in numbers

    def test_what_dies_is_started_again(self, up: Up) -> None:
        before = up.pid_of("worker")
        kill(before)
        wait_for("another worker", lambda: not is_alive(before) and up.pid_of("worker") != before)
        wait_for("the worker to be ready again", lambda: up.output.count("\nworker     ready") >= 2)
        assert "worker     restarting was ended by SIGKILL; starts again in 0.2 s" in up.output


class TestStopping:
    def test_leaves_no_process_behind_and_starts_again_with_the_same_key(self) -> None:
        up = Up()
        up.start()
        up.wait_until_ready()
        key, family = up.key(), up.family()
        assert len(family) > 3
        assert up.stop() == 0
        assert [pid for pid in family if is_alive(pid)] == []
        up.start()
        up.wait_until_ready()
        assert up.key() == key
        assert "Made to try things" not in up.output
        family = up.family()
        assert up.process
        kill(up.process.pid)
        up.process.wait()
        wait_for("everybody to follow `up`, which was killed", lambda: not any(map(is_alive, family)))
        shutil.rmtree(up.folder)

    def test_kills_nobody_and_shuts_the_database_down_where_every_process_is_asked_at_once(self) -> None:
        """As systemd does unless it is told otherwise, and whoever ends a control group."""
        up = Up()
        up.start()
        up.wait_until_ready()
        family = up.family()
        assert up.process
        for pid in family:
            # Who was asked first may have ended one that is still to be asked.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        assert up.process.wait(timeout=60) == 0
        assert [pid for pid in family if is_alive(pid)] == []
        assert "SIGKILL" not in up.output
        assert was_shut_down(up)
        shutil.rmtree(up.folder)

    def test_is_as_orderly_where_its_terminal_is_closed(self) -> None:
        up = Up()
        terminal = up.start_in_terminal()
        terminal.read_until("Stop with Ctrl-C")
        family = up.family()
        assert up.process
        terminal.close()
        assert up.process.wait(timeout=60) == 0
        assert [pid for pid in family if is_alive(pid)] == []
        assert all(f"{name}_stopped" in (up.folder / "logs" / f"{name}.log").read_text() for name in ("api", "worker"))
        assert was_shut_down(up)
        shutil.rmtree(up.folder)

    def test_needs_no_database_that_is_ready(self) -> None:
        up = Up()
        up.more_environment = {"RYMI_POSTGRES_BIN": str(gated_postgres(up.folder / "gated", up.folder / "never"))}
        up.start()
        wait_for("the database to take long", lambda: "postgres   starting   recovers" in up.output)
        assert up.stop() == 0
        assert up.output.endswith("postgres   stopped\n")
        shutil.rmtree(up.folder)

    def test_is_quiet_with_an_agent_on_its_way_into_a_call(self) -> None:
        up = Up(rooms=True, agents=True)
        up.start()
        up.wait_until_ready()
        subprocess.run(["sh", "-c", up.printed_curl()], capture_output=True, check=True)
        wait_for("an agent to be sent", lambda: "call_taken" in up.output)
        assert up.stop() == 0
        assert [line for line in up.output.splitlines() if "Traceback" in line or '"level": "error"' in line] == []
        assert up.output.index("agent      stopped") < up.output.index("rooms      stopping")
        shutil.rmtree(up.folder)


class TestWhatCannotBe:
    def test_a_port_that_is_taken_is_named_with_its_setting(self) -> None:
        up = Up()
        with socket.create_server(("127.0.0.1", up.http_port)):
            refused = up.command("up")
        assert refused.returncode == 1
        assert f"port {up.http_port}" in refused.stderr
        assert "RYMI_HTTP_PORT" in refused.stderr
        shutil.rmtree(up.folder)

    def test_a_process_that_does_not_get_ready_says_what_it_waits_for(self) -> None:
        up = Up(agents=True)
        up.start()
        wait_for(
            "the agent to miss LiveKit", lambda: "agent      starting   LiveKit: LIVEKIT_URL does not" in up.output
        )
        assert up.stop() == 0
        shutil.rmtree(up.folder)

    def test_commands_without_a_database_say_so(self) -> None:
        up = Up()
        refused = up.command("tenants", "list")
        assert refused.returncode == 1
        assert refused.stderr.startswith("rymi: DATABASE_URL is not set, and no `rymi up` runs on")
        shutil.rmtree(up.folder)
