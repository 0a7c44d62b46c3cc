"""Reads what the server runs on from `requirements/*.in`, so that each list stands in one place."""

from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class RequirementsFromFile(MetadataHookInterface):
    """Fills the package's `dependencies` and its extras."""

    def update(self, metadata: dict[str, Any]) -> None:
        metadata["dependencies"] = self._listed("server")
        metadata["optional-dependencies"] = {
            extra: self._listed(extra) for extra in ("agent", "providers", "speech", "telemetry")
        }

    def _listed(self, part: str) -> list[str]:
        lines = (Path(self.root) / "requirements" / f"{part}.in").read_text().splitlines()
        return [line for line in lines if line and not line.startswith("#")]
