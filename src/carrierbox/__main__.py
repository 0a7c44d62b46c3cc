"""`python -m carrierbox`: reads the settings, serves, and says in one sentence why if it cannot."""

import asyncio
import sys

import uvloop

from carrierbox.logs import log_to_stderr
from carrierbox.server import serve
from carrierbox.settings import BadSetting, read_settings


def main(arguments: list[str] | None = None) -> int:
    log_to_stderr()
    try:
        settings = read_settings(sys.argv[1:] if arguments is None else arguments)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(settings))
    except BadSetting as error:
        sys.stderr.write(f"carrierbox: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
