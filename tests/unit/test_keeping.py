"""What `rymi up` decides without starting anything."""

import json
import os
import shlex
import stat
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from rymi_server.entrypoints.commands import doctor
from rymi_server.entrypoints.secrets_file import SecretsFile
from rymi_server.entrypoints.settings import Settings
from rymi_server.entrypoints.up.children import children_of
from rymi_server.entrypoints.up.data_folder import FolderInUse, claimed
from rymi_server.entrypoints.up.demo import RECEPTIONIST, Demo
from rymi_server.entrypoints.up.invitation import invitation_to_call
from rymi_server.entrypoints.up.keeping import Backoff
from rymi_server.entrypoints.up.run import plan_of
from rymi_server.foundation.ids import TenantId
from rymi_server.foundation.sealed import pepper_from_text
from rymi_server.http.talk.passes import TalkPass, talk_pass_of
from rymi_server.http.v1.agent_bodies import NewAgentBody


class TestBackoff:
    def test_doubles_up_to_ten_seconds(self) -> None:
        backoff = Backoff()
        waits = [backoff.next_wait(ran_for_seconds=0) for _ in range(8)]
        assert waits == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10]

    def test_is_short_again_after_a_long_good_run(self) -> None:
        backoff = Backoff(wait=10)
        assert backoff.next_wait(ran_for_seconds=60) == 0.2


class TestTheSecretsFile:
    def test_is_made_once_and_kept(self, tmp_path: Path) -> None:
        file = SecretsFile(tmp_path / "secrets.env")
        made = file.complete({})
        assert set(made) == {"RYMI_SECRET", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "RYMI_DEMO_API_KEY"}
        assert file.complete({}) == made == file.read()
        assert stat.S_IMODE(file.path.stat().st_mode) == 0o600

    def test_holds_nothing_that_the_environment_has(self, tmp_path: Path) -> None:
        assert "RYMI_SECRET" not in SecretsFile(tmp_path / "secrets.env").complete({"RYMI_SECRET": "x" * 32})

    def test_keeps_what_somebody_added(self, tmp_path: Path) -> None:
        file = SecretsFile(tmp_path / "secrets.env")
        file.path.write_text("# ours\nRYMI_SECRET=" + "x" * 32 + "\nOTHER=1\n")
        assert file.complete({})["RYMI_SECRET"] == "x" * 32
        assert file.read()["OTHER"] == "1"


class TestTheDataFolder:
    def test_belongs_to_one_at_a_time(self, tmp_path: Path) -> None:
        with claimed(tmp_path / "data"), pytest.raises(FolderInUse), claimed(tmp_path / "data"):
            pass

    def test_is_free_again_afterwards(self, tmp_path: Path) -> None:
        with claimed(tmp_path / "data"):
            pass
        with claimed(tmp_path / "data"):
            pass


class TestTheTableOfChildren:
    def test_leaves_rooms_to_a_server_that_is_named(self) -> None:
        names = [child.name for child in children_of(Settings(), {"LIVEKIT_URL": "wss://rooms.example"})]
        assert names == ["api", "worker", "agent", "gateway", "carrierbox"]

    def test_leaves_out_what_runs_elsewhere(self) -> None:
        names = [child.name for child in children_of(Settings(up_without="agent, rooms"), {})]
        assert names == ["api", "worker", "gateway", "carrierbox"]

    def test_finds_each_on_this_machine_whatever_it_listens_on(self) -> None:
        (api, *_) = children_of(Settings(http_host="0.0.0.0", http_port=8123), {"LIVEKIT_URL": "wss://rooms.example"})
        assert api.url == "http://localhost:8123"


class TestTheAddressesThatNobodyHasNamed:
    @pytest.fixture
    def environment(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Mapping[str, str]]:
        """That of the processes, where these settings are made and no others."""
        for name in [name for name in os.environ if name.startswith(("RYMI_", "PUBLIC_", "LIVEKIT_", "ROOMLET_"))]:
            monkeypatch.delenv(name)

        def planned(**settings: str) -> Mapping[str, str]:
            for name, value in settings.items():
                monkeypatch.setenv(name, value)
            return plan_of(tmp_path, os.environ, children_of).environment

        return planned

    def test_are_those_that_are_listened_at(self, environment: Callable[..., Mapping[str, str]]) -> None:
        found = environment(RYMI_HTTP_HOST="192.0.2.2", ROOMLET_HOST="192.0.2.3")
        assert {name: found[name] for name in ADDRESSES} == {
            "PUBLIC_BASE_URL": "http://192.0.2.2:8000",
            "RYMI_INTERNAL_API_URL": "http://192.0.2.2:8000",
            "PUBLIC_MEDIA_URL": "ws://192.0.2.2:8002",
            "LIVEKIT_URL": "ws://192.0.2.3:7880",
            "ROOMLET_WEBHOOK_URLS": "http://192.0.2.2:8000/internal/livekit/webhook",
        }

    def test_are_found_on_this_machine_where_everything_is_listened_at(
        self, environment: Callable[..., Mapping[str, str]]
    ) -> None:
        found = environment(RYMI_HTTP_HOST="0.0.0.0", ROOMLET_HOST="::")
        assert all(urlsplit(found[name]).hostname == "localhost" for name in ADDRESSES)

    def test_of_the_gateway_is_that_of_the_api_where_somebody_has_named_that(
        self, environment: Callable[..., Mapping[str, str]]
    ) -> None:
        """As the guide has it, of one proxy before both."""
        found = environment(PUBLIC_BASE_URL="https://voice.example")
        assert found["PUBLIC_BASE_URL"] == "https://voice.example"
        assert "PUBLIC_MEDIA_URL" not in found

    def test_of_the_gateway_is_what_somebody_has_named(self, environment: Callable[..., Mapping[str, str]]) -> None:
        assert environment(PUBLIC_MEDIA_URL="wss://sound.example")["PUBLIC_MEDIA_URL"] == "wss://sound.example"


SETTINGS = Settings(secret="only-for-tests-and-never-anywhere-else")
DEMO = Demo("a-1", TenantId("t-1"))
ADDRESSES = ("PUBLIC_BASE_URL", "RYMI_INTERNAL_API_URL", "PUBLIC_MEDIA_URL", "LIVEKIT_URL", "ROOMLET_WEBHOOK_URLS")
NOW = datetime(2026, 3, 1, tzinfo=UTC)


class TestTheInvitation:
    def test_opens_the_page_for_the_demo_s_tenant(self) -> None:
        text = invitation_to_call(SETTINGS, "rymi_key", DEMO, NOW, first=False)
        line = next(line for line in text.splitlines() if "/talk#" in line)
        page, _, opens = line.partition("#")
        assert page == "http://127.0.0.1:8000/talk"
        assert talk_pass_of(pepper_from_text(SETTINGS.secret), opens, NOW) == TalkPass(TenantId("t-1"))

    def test_opens_the_page_where_the_outside_reaches_it(self) -> None:
        settings = Settings(secret=SETTINGS.secret, public_base_url="https://voice.example")
        assert "https://voice.example/talk#" in invitation_to_call(settings, "rymi_key", DEMO, NOW, first=False)

    def test_is_a_command_that_a_shell_reads_as_meant(self) -> None:
        text = invitation_to_call(SETTINGS, "rymi_key", DEMO, NOW, first=False)
        command = text[text.index("curl") :].split("\n\n")[0]
        words = shlex.split(command.replace("\\\n", ""))
        assert words[:4] == ["curl", "-X", "POST", "http://127.0.0.1:8000/v1/calls"]
        assert "Authorization: Bearer rymi_key" in words
        assert json.loads(words[-1])["agent_id"] == "a-1"

    def test_sets_what_the_readme_s_lines_need(self) -> None:
        text = invitation_to_call(SETTINGS, "rymi_key", DEMO, NOW, first=False)
        line = next(line for line in text.splitlines() if line.startswith("export "))
        assert shlex.split(line)[1:] == ["RYMI_URL=http://127.0.0.1:8000", "RYMI_KEY=rymi_key", "RYMI_AGENT=a-1"]

    def test_says_how_to_get_a_key_where_the_demo_has_gone(self) -> None:
        assert "rymi keys create" in invitation_to_call(SETTINGS, "rymi_key", None, NOW, first=False)


class TestTheReceptionist:
    def test_is_an_agent_as_the_api_takes_it(self) -> None:
        body = NewAgentBody.model_validate({"name": "Mia", **RECEPTIONIST})
        assert body.said()["playbook"] == RECEPTIONIST["playbook"]

    def test_asks_for_every_slot_that_is_required(self) -> None:
        playbook = RECEPTIONIST["playbook"]
        asked = {question["slotName"] for question in playbook["qualificationFlow"]}
        assert {slot["name"] for slot in playbook["requiredSlots"] if slot["required"]} <= asked


class TestTheDoctor:
    def test_finds_nothing_wrong_with_what_is_well(self) -> None:
        well = (doctor.python((3, 12)), doctor.migrations("7", "7"), doctor.clock(0.2), doctor.postgres_version(18))
        assert [finding.mend for finding in well] == [None] * 4

    def test_says_how_to_mend_what_is_not(self, tmp_path: Path) -> None:
        ill = (
            doctor.python((3, 9)),
            doctor.migrations(None, "7"),
            doctor.clock(-30),
            doctor.postgres_version(12),
            doctor.disk(tmp_path, 1_000),
        )
        assert all(finding.mend for finding in ill)
        assert str(ill[1]).startswith("problem  migrations   at nothing, this version needs 7\n")
