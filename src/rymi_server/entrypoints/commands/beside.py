"""Programs that come with the server and know nothing of it. They take this process over, with their arguments."""

import os
import sys

import typer

_AS_GIVEN = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


def program(module: str) -> typer.Typer:
    """The program `python -m module` as a command of ours."""
    command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

    @command.command(context_settings=_AS_GIVEN)
    def run(ctx: typer.Context) -> None:
        os.execv(sys.executable, [sys.executable, "-m", module, *ctx.args])  # noqa: S606 - our own interpreter

    return command
