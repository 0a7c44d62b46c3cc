"""`rymi up` with the tape's worker in place of the real one."""

import time
from collections.abc import Mapping
from dataclasses import replace

from rymi_server.entrypoints.settings import Settings
from rymi_server.entrypoints.up.births import Nurseries
from rymi_server.entrypoints.up.children import Child, children_of
from rymi_server.entrypoints.up.run import run


def with_the_tape(settings: Settings, environment: Mapping[str, str]) -> list[Child]:
    return [
        replace(child, module="tests.support.tape_worker") if child.name == "worker" else child
        for child in children_of(settings, environment)
    ]


if __name__ == "__main__":
    run(time.monotonic(), Nurseries(), with_the_tape)
