"""The settings, and what is written about them."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from rymi_server.entrypoints.commands.settings import page, sample_file
from rymi_server.entrypoints.settings import Settings, WrongSettings, read_settings
from rymi_server.telephony.carriers.registry import CARRIERS
from rymi_server.telephony.terms import CARRIER_NAMES

ROOT = Path(__file__).parents[2]


class TestTheSettingsPage:
    def test_is_what_the_settings_say(self) -> None:
        assert (ROOT / "docs" / "reference" / "settings.md").read_text() == page(), "run: make settings"

    def test_has_a_sample_file_that_says_the_same(self) -> None:
        assert (ROOT / "deploy" / "rymi.sample.env").read_text() == sample_file(), "run: make settings"

    @pytest.mark.parametrize("name", Settings.model_fields)
    def test_has_a_meaning_for_every_setting(self, name: str) -> None:
        field = Settings.model_fields[name]
        assert field.alias
        assert field.description


class TestReadingSettings:
    def test_the_environment_wins_over_what_is_kept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RYMI_SECRET", "e" * 32)
        assert read_settings({"RYMI_SECRET": "k" * 32, "SOMETHING_ELSE": "x"}).secret == "e" * 32

    def test_what_is_kept_stands_in_for_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("RYMI_SECRET", raising=False)
        assert read_settings({"RYMI_SECRET": "k" * 32}).secret == "k" * 32

    def test_mistakes_are_told_together_and_by_their_names(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RYMI_HTTP_PORT", "http")
        monkeypatch.setenv("RYMI_SECRET", "short")
        with pytest.raises(WrongSettings) as refused:
            read_settings()
        assert "RYMI_HTTP_PORT" in refused.value.message
        assert "RYMI_SECRET" in refused.value.message

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("DATABASE_URL", "localhost/rymi"),
            ("DATABASE_URL", "mysql://localhost/rymi"),
            ("DATABASE_URL", "postgresql://localhost:badport/rymi"),
            ("STORAGE_URL", "/var/rec"),
            ("STORAGE_URL", "s3://[bucket"),
            ("RYMI_PLANS", "{bad"),
            ("RYMI_UP_WITHOUT", "rooms,agents"),
            ("ROOMLET_HTTP_PORT", "abc"),
            ("ROOMLET_HTTP_PORT", "65536"),
            ("CARRIERBOX_PORT", "0x"),
        ],
    )
    def test_a_mistake_is_told_by_its_name_and_beside_others(
        self, monkeypatch: pytest.MonkeyPatch, name: str, value: str
    ) -> None:
        monkeypatch.setenv(name, value)
        monkeypatch.setenv("RYMI_SECRET", "short")
        with pytest.raises(WrongSettings) as refused:
            read_settings()
        assert f"\n  {name}: " in refused.value.message
        assert "\n  RYMI_SECRET: " in refused.value.message

    @pytest.mark.parametrize(
        "url",
        [
            "postgresql://rymi:a/b?c#d:e@db.example.com:5432/rymi?sslmode=require",
            "postgres://[::1]:5432/rymi",
            "postgresql+psycopg://rymi@/rymi?host=/var/run/postgresql",
            "postgresql:///rymi",
        ],
    )
    def test_a_database_is_named_as_its_library_lets_it_be_named(
        self, monkeypatch: pytest.MonkeyPatch, url: str
    ) -> None:
        monkeypatch.setenv("DATABASE_URL", url)
        assert make_url(url).get_backend_name().startswith("postgres")
        assert read_settings().database_url == url

    def test_no_database_and_no_storage_may_be_said_with_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DATABASE_URL", "")
        monkeypatch.setenv("STORAGE_URL", "")
        settings = read_settings()
        assert settings.database_url is None
        assert settings.effective_storage_url().startswith("file:///")

    def test_folders_are_the_same_wherever_a_program_of_ours_runs(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("RYMI_DATA_DIR", "data")
        monkeypatch.setenv("RYMI_POSTGRES_BIN", "bin")
        settings = read_settings()
        assert (settings.data_folder, settings.postgres_binaries) == (tmp_path / "data", tmp_path / "bin")


class TestTheNamesOfCarriers:
    def test_are_those_of_the_registry(self) -> None:
        assert set(CARRIER_NAMES) == set(CARRIERS)


class TestLoadingThem:
    def test_loads_nothing_that_takes_long(self) -> None:
        """Every command reads them first."""
        code = "import sys, rymi_server.entrypoints.settings; print(*sys.modules)"
        told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        loaded = set(told.stdout.split())
        assert loaded & {"sqlalchemy", "httpx", "fastapi", "livekit", "cryptography", "phonenumbers"} == set()
