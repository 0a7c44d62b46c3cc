"""The secrets that `rymi up` makes for an installation, kept in its data folder for nobody else to read."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rymi_server.entrypoints.settings import WrongSettings
from rymi_server.foundation.sealed import new_secret
from rymi_server.keys.models import new_secret_key

DEMO_KEY = "RYMI_DEMO_API_KEY"

_MAKE = {
    "RYMI_SECRET": new_secret,
    "LIVEKIT_API_KEY": lambda: f"rymi{secrets.token_hex(6)}",
    "LIVEKIT_API_SECRET": new_secret,
    DEMO_KEY: new_secret_key,
}
_PREAMBLE = "# Made by `rymi up`. Keep it with the database: without RYMI_SECRET, stored credentials do not open.\n"


@dataclass(frozen=True, slots=True)
class SecretsFile:
    path: Path

    def read(self) -> dict[str, str]:
        """What is kept; nothing where there is no file."""
        if not self.path.exists():
            return {}
        try:
            lines = self.path.read_text().splitlines()
        except PermissionError as error:
            raise WrongSettings(f"{self.path} belongs to somebody else. Run this as the user of `rymi up`.") from error
        pairs = (line.partition("=") for line in lines if line.strip() and not line.startswith("#"))
        return {name.strip(): value.strip() for name, _, value in pairs}

    def complete(self, environment: Mapping[str, str]) -> dict[str, str]:
        """What is kept, after whatever neither it nor `environment` has was made and written down."""
        kept = self.read()
        made = {name: make() for name, make in _MAKE.items() if name not in kept and name not in environment}
        if made:
            kept |= made
            self._write(kept)
        return kept

    def _write(self, kept: Mapping[str, str]) -> None:
        """All of it or nothing, also when the machine stops in between."""
        unfinished = self.path.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(_PREAMBLE + "".join(f"{name}={value}\n" for name, value in kept.items()))
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self.path)


def secrets_of(data_folder: Path) -> SecretsFile:
    return SecretsFile(data_folder / "secrets.env")
