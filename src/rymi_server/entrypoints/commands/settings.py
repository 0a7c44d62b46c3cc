"""`rymi settings`: every setting with its default and its meaning, made from the settings themselves."""

import json
import textwrap
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from rymi_server.entrypoints.account_settings import AccountSettings
from rymi_server.entrypoints.agent_settings import AgentSettings
from rymi_server.entrypoints.analysis_settings import AnalysisSettings
from rymi_server.entrypoints.phone_settings import PhoneSettings
from rymi_server.entrypoints.settings import Settings
from rymi_server.entrypoints.speech_settings import SpeechSettings

# Those of speech last: most installations set none.
_PARTS: tuple[type[BaseModel], ...] = (AccountSettings, PhoneSettings, AgentSettings, AnalysisSettings, SpeechSettings)

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_PAGE = """\
# Settings

Every process reads its settings from the environment when it starts, and refuses to start with a wrong one. `rymi up`
makes the secrets that are missing, keeps them in `secrets.env` of the data folder, and hands them to the processes that
it starts. Other commands read that file, too, when the environment does not say otherwise.

`deploy/rymi.sample.env` has the same list to copy from. Both are printed by `rymi settings`; do not edit them.

| setting | default | meaning |
|---|---|---|
"""
_AFTER = """
The embedded room server has settings of its own, which begin with `ROOMLET_`: `python -m roomlet --help` lists them.
`rymi up` starts it unless `LIVEKIT_URL` names another server.
"""
_SAMPLE = """\
# Every setting of Rymi with its default. Copy this file, take the # away from what you change, and load it into the
# environment of the processes. docs/reference/settings.md says the same. Printed by `rymi settings --sample`.
"""


@app.command()
def show(
    sample: Annotated[bool, typer.Option("--sample", help="As a file of environment variables to start from.")] = False,
) -> None:
    """Print every setting: as a page, or as a sample file."""
    print(sample_file() if sample else page(), end="")


def page() -> str:
    rows = "".join(f"| `{name}` | {_shown(field)} | {field.description} |\n" for name, field in _fields())
    return _PAGE + rows + _AFTER


def sample_file() -> str:
    return _SAMPLE + "".join(
        f"\n{_comment(str(field.description))}\n#{name}={_quoted(_default(field))}\n" for name, field in _fields()
    )


def _fields() -> list[tuple[str, FieldInfo]]:
    """What concerns everything comes first, then part by part."""
    return [(str(field.alias), field) for _, field in sorted(Settings.model_fields.items(), key=_part)]


def _part(named: tuple[str, FieldInfo]) -> int:
    return next((place for place, part in enumerate(_PARTS, 1) if named[0] in part.model_fields), 0)


def _comment(text: str) -> str:
    return textwrap.fill(text, 110, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


def _shown(field: FieldInfo) -> str:
    default = _default(field)
    return f"`{default}`" if default else "none"


def _quoted(value: str) -> str:
    """For shells, systemd and compose alike."""
    return f"'{value}'" if '"' in value else value


def _default(field: FieldInfo) -> str:
    """As it is written in the environment; nothing where there is none, or where it depends on the machine."""
    value: Any = field.default
    if value is PydanticUndefined or value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return json.dumps({key: _plain(each) for key, each in value.items()})
    return str(value)


def _plain(value: BaseModel) -> Any:
    return value.model_dump(mode="json", exclude_defaults=True)
