"""Small things that everything stands on."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.engine import make_url

from rymi_server.foundation.database import for_libpq, for_sqlalchemy
from rymi_server.foundation.ids import first_uuid_at, is_uuid, new_prefixed, new_uuid
from rymi_server.foundation.phone_number import normalize
from rymi_server.foundation.sealed import CannotOpen, Seal


class TestIds:
    def test_rise_in_the_order_in_which_they_were_made(self) -> None:
        made = [new_uuid() for _ in range(10_000)]
        assert made == sorted(made)
        assert len(set(made)) == len(made)

    def test_are_uuids_of_version_7(self) -> None:
        made = new_uuid()
        assert is_uuid(made)
        assert made[14] == "7"
        assert made[19] in "89ab"

    def test_turn_a_time_into_a_place_among_ids(self) -> None:
        before, made = datetime.now(UTC), new_uuid()
        assert first_uuid_at(before - timedelta(seconds=1)) < made < first_uuid_at(before + timedelta(seconds=5))

    def test_say_what_they_name(self) -> None:
        assert new_prefixed("leg").startswith("leg_")

    @pytest.mark.parametrize("text", ["", "call_abc", "550e8400e29b41d4a716446655440000", "{x}", "5" * 36])
    def test_are_not_anything_else(self, text: str) -> None:
        assert not is_uuid(text)


class TestPhoneNumbers:
    @pytest.mark.parametrize(
        ("written", "kept"),
        [
            ("+15551234567", "+15551234567"),
            ("+1 (555) 000-9999", "+15550009999"),
            ("+44 20 7946 0958", "+442079460958"),
            ("  +49 30 901820 ", "+4930901820"),
        ],
    )
    def test_are_kept_as_e164(self, written: str, kept: str) -> None:
        assert normalize(written) == kept

    @pytest.mark.parametrize(
        "written",
        [
            "",
            "Alice",
            "555-1234",
            "call +15551234567",
            "+15551234567 ext. 5",
            "+15551234567x5",
            "+1",
            "+15",
            "+1" + "5" * 40,
            "tel:",
            "+999123456789",
        ],
    )
    def test_are_not_anything_else(self, written: str) -> None:
        assert normalize(written) is None


class TestSeal:
    seal = Seal.from_text("a" * 32)

    def test_opens_what_it_closed(self) -> None:
        sealed = self.seal.close("token", owner="acme", purpose="webhook")
        assert self.seal.open(sealed, owner="acme", purpose="webhook") == "token"
        assert b"token" not in sealed

    @pytest.mark.parametrize(("owner", "purpose"), [("rival", "webhook"), ("acme", "carrier")])
    def test_does_not_open_for_another_owner_or_purpose(self, owner: str, purpose: str) -> None:
        sealed = self.seal.close("token", owner="acme", purpose="webhook")
        with pytest.raises(CannotOpen):
            self.seal.open(sealed, owner=owner, purpose=purpose)

    @pytest.mark.parametrize("damaged", [b"", b"x" * 10, b"x" * 200])
    def test_does_not_open_what_is_damaged(self, damaged: bytes) -> None:
        with pytest.raises(CannotOpen):
            self.seal.open(damaged, owner="acme", purpose="webhook")

    def test_does_not_open_with_another_key(self) -> None:
        sealed = self.seal.close("token", owner="acme", purpose="webhook")
        with pytest.raises(CannotOpen):
            Seal.from_text("b" * 32).open(sealed, owner="acme", purpose="webhook")


class TestDatabaseUrls:
    @pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "postgres"])
    def test_serve_both_of_their_readers(self, scheme: str) -> None:
        url = f"{scheme}://u:p%40ss@h/db?host=%2Ftmp"
        assert for_sqlalchemy(url).startswith("postgresql+psycopg://u:p%40ss@")
        assert for_libpq(url).startswith("postgresql://u:p%40ss@")

    def test_mean_the_same_to_both_whatever_stands_in_them(self) -> None:
        """To libpq, a plus is no space."""
        url = "postgresql://u%20u:p%2Bp@h/d%20d?host=%2Ftmp%2Fa%20folder%2Bmore&options=-c%20search_path%3Drymi"
        told = {
            "user": "u u",
            "password": "p+p",
            "dbname": "d d",
            "host": "/tmp/a folder+more",
            "options": "-c search_path=rymi",
        }
        assert conninfo_to_dict(for_libpq(url)) == told
        read = make_url(for_sqlalchemy(url))
        assert (read.username, read.password, read.database) == (told["user"], told["password"], told["dbname"])
        assert read.query == {name: told[name] for name in ("host", "options")}


class TestGarbage:
    def test_of_what_is_loaded_is_not_looked_for(self) -> None:
        """In a process of its own: this one would keep all that was made before."""
        program = (
            "import gc; from rymi_server.foundation.garbage import leave_what_is_loaded as leave; leave(); "
            "print(gc.get_freeze_count() > 5_000 > len(gc.get_objects()))"
        )
        told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert told.stdout == "True\n"
