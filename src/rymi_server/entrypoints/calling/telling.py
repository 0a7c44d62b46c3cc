"""Shows a call on the terminal as it happens, and what it came to. Or as JSON, for programs."""

import json
import sys
from typing import Any, Protocol

from rich.console import Console
from rich.text import Text

from rymi_server.entrypoints.calling.account import Told

_QUIET_EVENTS = frozenset({"Participant joined", "Agent joined", "Call created", "Call started", "Agent called"})


class Telling(Protocol):
    def begin(self, call: dict[str, Any], agent_name: str) -> None: ...

    def happened(self, told: Told) -> None: ...

    def result(self, call: dict[str, Any], recording: dict[str, Any] | None) -> None: ...


class ForPrograms:
    """One JSON object a line: what the API said, as it said it."""

    def begin(self, call: dict[str, Any], agent_name: str) -> None:  # noqa: ARG002 - For people.
        self._print("call", call)

    def happened(self, told: Told) -> None:
        self._print(told.kind, told.data)

    def result(self, call: dict[str, Any], recording: dict[str, Any] | None) -> None:
        self._print("result", {**call, "recording": recording})

    def _print(self, kind: str, data: dict[str, Any]) -> None:
        print(json.dumps({"event": kind, **data}, ensure_ascii=False), flush=True)


class ForPeople:
    def __init__(self, identity: str, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._identity = identity
        self._agent = "Agent"
        self._draft = ""

    def begin(self, call: dict[str, Any], agent_name: str) -> None:
        self._agent = agent_name.partition(",")[0].strip() or "Agent"
        self._say(Text(f"Call {call['id']} with {agent_name}. Ctrl-C hangs up.\n", style="dim"))

    def happened(self, told: Told) -> None:
        match told.kind:
            case "transcript":
                self._line(told.data)
            case "draft":
                self._show_draft(told.data)
            case "event" if told.data["message"] not in _QUIET_EVENTS and told.data["source"] != "post_call":
                style = {"warning": "yellow", "error": "red"}.get(told.data["level"], "dim")
                self._say(Text(f"  · {told.data['message']}", style=style))

    def result(self, call: dict[str, Any], recording: dict[str, Any] | None) -> None:
        self._clear_draft()
        lines = [f"{call['status'].capitalize()}: {str(call['end_reason']).replace('_', ' ')}."]
        if call["bill_duration"] is not None:
            lines.append(f"Bill: {call['bill_duration']} s, {call['total_cost']:.4f} USD.")
        self._say(Text("\n" + " ".join(lines), style="bold"))
        found = call.get("intelligence") or {}
        if found.get("summary"):
            self._say(Text(f"Summary: {found['summary']}"))
        if found.get("sentiment"):
            self._say(Text(f"Sentiment: {found['sentiment']}"))
        if found.get("structured_data"):
            self._say(Text(f"Extracted: {json.dumps(found['structured_data'], ensure_ascii=False)}"))
        for error in found.get("errors") or ():
            self._say(Text(f"Analysis: {error.get('message', error)}", style="yellow"))
        if url := _recording_url(recording):
            self._say(Text(f"Recording: {url}"))

    def _line(self, line: dict[str, Any]) -> None:
        self._clear_draft()
        name, style = self._who(line)
        self._say(Text.assemble((f"{name:>12}  ", style), line["text"]))

    def _show_draft(self, line: dict[str, Any]) -> None:
        """On a terminal only, in one line that the next text replaces."""
        if not self._console.is_terminal:
            return
        name, style = self._who(line)
        room = max(10, self._console.width - 18)
        self._clear_draft()
        self._draft = line["text"][-room:]
        self._console.print(Text.assemble((f"{name:>12}  ", style), (self._draft, "dim italic")), end="\r")

    def _clear_draft(self) -> None:
        if self._draft:
            sys.stdout.write("\r\x1b[2K")
            self._draft = ""

    def _who(self, line: dict[str, Any]) -> tuple[str, str]:
        if line["speaker"] == "agent":
            return self._agent, "cyan"
        return ("You" if line["identity"] == self._identity else str(line["identity"] or "Caller")), "green"

    def _say(self, text: Text) -> None:
        self._clear_draft()
        self._console.print(text, soft_wrap=True)


def _recording_url(recording: dict[str, Any] | None) -> str | None:
    mix = ((recording or {}).get("metadata") or {}).get("stereo_mix") or {}
    url: str | None = mix.get("signed_url")
    return url
