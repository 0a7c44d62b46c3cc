"""Plivo's applications: where the addresses live that a number's calls go to."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

FIELDS = (
    "answer_url",
    "answer_method",
    "fallback_answer_url",
    "fallback_method",
    "hangup_url",
    "hangup_method",
    "message_url",
    "message_method",
)


@dataclass
class Application:
    account_id: str
    name: str
    id: str = field(default_factory=lambda: str(10**16 + secrets.randbelow(9 * 10**16)))
    fields: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str:
        return self.fields.get(name, "POST" if name.endswith("method") else "")


class NameTaken(Exception):
    """Another application of the account has that name."""


class Applications:
    """Looks applications up by account and id."""

    def __init__(self) -> None:
        self._applications: dict[str, Application] = {}

    def create(self, account_id: str, name: str, fields: Mapping[str, str]) -> Application:
        if any(application.name == name for application in self.of_account(account_id)):
            raise NameTaken
        application = Application(account_id, name, fields=dict(fields))
        self._applications[application.id] = application
        return application

    def find(self, account_id: str, application_id: str) -> Application | None:
        application = self._applications.get(application_id)
        return application if application and application.account_id == account_id else None

    def of_account(self, account_id: str) -> list[Application]:
        return [a for a in self._applications.values() if a.account_id == account_id]

    def remove(self, application: Application) -> None:
        del self._applications[application.id]

    def clear(self) -> None:
        self._applications.clear()
