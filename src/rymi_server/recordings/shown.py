"""A recording as the API shows it: files as links that expire, never as the keys they are stored under."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from rymi_server.foundation.object_storage import ObjectStorage
from rymi_server.recordings.models import Recording


@dataclass(frozen=True, slots=True)
class Signing:
    """Makes the links."""

    storage: ObjectStorage
    live: timedelta

    def shown(self, found: Recording) -> dict[str, Any]:
        return {
            "id": found.id,
            "status": found.status,
            "format": found.format,
            "provider_recording_id": found.provider_recording_id,
            "metadata": self._signed(found.metadata),
        }

    def _signed(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._signed(each) for each in value]
        if not isinstance(value, dict):
            return value
        shown = {name: self._signed(each) for name, each in value.items() if name != "key"}
        if "key" in value:
            shown["signed_url"] = self.storage.link(value["key"], self.live)
            shown["expires_in_seconds"] = int(self.live.total_seconds())
        return shown
