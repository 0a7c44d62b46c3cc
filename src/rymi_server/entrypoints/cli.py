"""`rymi`: one command a process, and a few for operators.

A command's module is loaded when it is asked for, so that `rymi --help` does not wait for a web framework.
"""

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass

import typer

from rymi_server.entrypoints.outcome import outcome


@dataclass(frozen=True, slots=True)
class Command:
    """A module below `rymi_server.entrypoints` with an `app` of its own, or with a `run` that takes no arguments."""

    module: str
    about: str


COMMANDS = {
    "up": Command("up.start", "Run everything on this machine."),
    "api": Command("api", "Serve the HTTP API."),
    "worker": Command("worker", "Do the jobs: dialing, what comes after a call, sweeps."),
    "agent": Command("agent", "Run agents: each call gets one of its own."),
    "gateway": Command("gateway", "Bridge phones: carriers' media sockets on one side, rooms on the other."),
    "rooms": Command("commands.rooms", "Run the embedded room server alone."),
    "carrierbox": Command("commands.carrierbox", "Run Twilio, Plivo and Vonage in a box."),
    "call": Command("commands.call", "Call an agent from this terminal."),
    "replay": Command("commands.replay", "Run a recorded call through another turn detector."),
    "migrate": Command("commands.migrate", "Bring the database up to date."),
    "doctor": Command("commands.doctor", "Check this installation, and say how to mend it."),
    "tenants": Command("commands.tenants", "The tenants of this installation."),
    "keys": Command("commands.keys", "The API keys of a tenant."),
    "credits": Command("commands.credits", "The credit of a tenant."),
    "talk-link": Command("commands.talk_link", "A link to talk to a tenant's agents in a browser."),
    "speech": Command("commands.speech", "Engines that hear and speak, and their models."),
    "settings": Command("commands.settings", "Print every setting with its default."),
    "openapi": Command("commands.openapi", "Print the API's document."),
}


app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
_ALL_THE_REST = {"ignore_unknown_options": True, "allow_extra_args": True, "allow_interspersed_args": False}


@app.callback()
def rymi() -> None:
    """Voice-AI calls that a team runs itself: one call is one room."""


def _loading(name: str, command: Command) -> Callable[[typer.Context], None]:
    def run(ctx: typer.Context) -> None:
        module = importlib.import_module(f"rymi_server.entrypoints.{command.module}")
        loaded: typer.Typer | None = getattr(module, "app", None)
        if loaded is None:
            loaded = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            loaded.command(help=command.about)(module.run)
        loaded(args=ctx.args, prog_name=f"rymi {name}")

    return run


for _name, _command in COMMANDS.items():
    app.command(_name, help=_command.about, add_help_option=False, context_settings=_ALL_THE_REST)(
        _loading(_name, _command)
    )


def main() -> None:
    sys.exit(outcome(app))


if __name__ == "__main__":
    main()
