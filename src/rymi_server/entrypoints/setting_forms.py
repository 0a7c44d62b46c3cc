"""What settings must look like that are more than a number or a word, and how the environment is read for them."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource

from rymi_server.foundation.object_storage import why_no_storage

# Told apart as the database's library does, for which a password may have nearly every sign.
_DATABASE_URL = re.compile(
    r"postgres(ql)?(\+\w+)?://([^:/]*(:[^@]*)?@)?(\[[^/?]+\]|[^/:?]*)(:\d{0,5})?(/[^?]*)?(\?.*)?", re.DOTALL
)
_PROCESSES = ("agent", "api", "carrierbox", "gateway", "rooms", "worker")
# Settings of the room server and of the carriers in a box, which we read as well, because we must know where they are.
ROOMS_PORT, BOX_PORT = "ROOMLET_HTTP_PORT", "CARRIERBOX_PORT"
_HIGHEST_PORT = 65_535


def _a_database(url: str | None) -> str | None:
    """It is not quoted where it is refused: it may have a password."""
    if url and not _DATABASE_URL.fullmatch(url):
        raise ValueError("is not postgresql://user:password@host:port/database")
    return url or None


def _a_storage(url: str | None) -> str | None:
    if url and (wrong := why_no_storage(url)):
        raise ValueError(wrong)
    return url or None


def _of_processes(names: str) -> str:
    if unknown := {name.strip() for name in names.split(",")} - {"", *_PROCESSES}:
        raise ValueError(f"has {', '.join(sorted(unknown))}, and there are only {', '.join(_PROCESSES)}")
    return names


DatabaseUrl: TypeAlias = Annotated[str | None, AfterValidator(_a_database)]
StorageUrl: TypeAlias = Annotated[str | None, AfterValidator(_a_storage)]
ProcessNames: TypeAlias = Annotated[str, AfterValidator(_of_processes)]
# PostgreSQL's programs run in another folder than ours.
Folder: TypeAlias = Annotated[Path, AfterValidator(Path.absolute)]


class FromEnvironment(BaseSettings):
    """What should be JSON and is not is refused by the setting's name, and together with other mistakes."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - The one that is replaced.
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, _Environment(settings_cls), dotenv_settings, file_secret_settings


class _Environment(EnvSettingsSource):
    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            # A text is what such a setting cannot be.
            return value


def wrong_ports(environment: Mapping[str, str]) -> list[str]:
    """A line for each."""
    given = {name: environment[name] for name in (ROOMS_PORT, BOX_PORT) if name in environment}
    return [f"{name}: {text!r} is not a port" for name, text in given.items() if not _is_port(text.strip())]


def _is_port(text: str) -> bool:
    return text.isdecimal() and int(text) <= _HIGHEST_PORT
