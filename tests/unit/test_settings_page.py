"""The settings, and what is written about them."""

import subprocess
import sys
from pathlib import Path

import pytest

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
