"""How a process or a command ends: by itself, or with one sentence that says why it could not go on."""

import sys
from collections.abc import Callable

from rymi_server.foundation.errors import RymiError

FAILED = 1


def outcome(run: Callable[[], None]) -> int:
    """The exit code of `run`. What is raised on purpose is for people; a bug keeps its traceback."""
    try:
        run()
    except RymiError as error:
        print(f"rymi: {error.message}", file=sys.stderr)
        return FAILED
    return 0
