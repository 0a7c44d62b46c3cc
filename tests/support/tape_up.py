"""`rymi up` with the tape's worker in place of the real one."""

from collections.abc import Mapping
from dataclasses import replace

from rymi_server.entrypoints.settings import Settings
from rymi_server.entrypoints.up.children import Child, children_of
from rymi_server.entrypoints.up.run import run_with


def with_the_tape(settings: Settings, environment: Mapping[str, str]) -> list[Child]:
    return [
        replace(child, module="tests.support.tape_worker") if child.name == "worker" else child
        for child in children_of(settings, environment)
    ]


if __name__ == "__main__":
    run_with(with_the_tape)
