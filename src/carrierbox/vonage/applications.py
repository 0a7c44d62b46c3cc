"""Vonage's applications: a key that signs requests, and the addresses that calls are announced to."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Webhook:
    address: str = ""
    method: str = "POST"


NOWHERE = Webhook()
NOWHERE_BY_GET = Webhook("", "GET")


@dataclass
class Application:
    account_id: str
    name: str
    public_key: str
    capabilities: Mapping[str, object] = field(default_factory=dict)
    privacy: Mapping[str, object] = field(default_factory=dict)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def webhook(self, name: str, method: str) -> Webhook:
        """One of the voice webhooks: `answer_url`, `event_url` or `fallback_answer_url`."""
        at = self.voice.get("webhooks")
        found = at.get(name) if isinstance(at, Mapping) else None
        if not isinstance(found, Mapping):
            return Webhook("", method)
        return Webhook(str(found.get("address", "")), str(found.get("http_method", method)))

    @property
    def voice(self) -> Mapping[str, object]:
        voice = self.capabilities.get("voice")
        return voice if isinstance(voice, Mapping) else {}

    @property
    def signs_callbacks(self) -> bool:
        return self.voice.get("signed_callbacks", True) is not False


class Applications:
    """Looks applications up by id; an account sees only its own."""

    def __init__(self) -> None:
        self._applications: dict[str, Application] = {}

    def add(self, application: Application) -> Application:
        self._applications[application.id] = application
        return application

    def get(self, application_id: str) -> Application | None:
        return self._applications.get(application_id)

    def find(self, account_id: str, application_id: str) -> Application | None:
        application = self.get(application_id)
        return application if application and application.account_id == account_id else None

    def of_account(self, account_id: str) -> list[Application]:
        return [a for a in self._applications.values() if a.account_id == account_id]

    def remove(self, application: Application) -> None:
        del self._applications[application.id]

    def clear(self) -> None:
        self._applications.clear()
