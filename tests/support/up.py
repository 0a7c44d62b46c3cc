"""`rymi up` as a process of its own, on a data folder and ports of its own."""

import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import httpx
from tests.support.waiting import wait_for

from rymi_server.foundation.postgres_supervisor import find_binaries

ROOT = Path(__file__).parents[2]
_READY = "Rymi is ready"
_AT_ONCE = 65_536
_NOBODY = "http://127.0.0.1:9"
BEHIND_A_PROXY = {"HTTP_PROXY": _NOBODY, "HTTPS_PROXY": _NOBODY}
"""One that leads nowhere: whoever asks it for a server on this machine gets no answer."""
# The terminal becomes that of its session, as a shell's is.
_TAKES_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", *sys.argv[1:]])
"""
_LOWEST_PORT, _PORTS_EACH, _PROCESSES = 12_000, 1_000, 16
_stretch = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _PROCESSES
# Where it begins differs from run to run: a port that was in use a moment ago may not be free yet.
_first = os.getpid() * 37
_ports = cycle(_LOWEST_PORT + _PORTS_EACH * _stretch + (_first + n) % _PORTS_EACH for n in range(_PORTS_EACH))


def new_data_folder(prefix: str = "rymi-up-") -> Path:
    """Where PostgreSQL, which does not run as root, can reach it."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))
    folder.chmod(0o755)
    return folder


def gated_postgres(folder: Path, gate: Path) -> Path:
    """Programs below `folder` whose server does not begin before there is a `gate`, as one that recovers for long."""
    installation, programs = find_binaries().parent, folder / "pginstall" / "bin"
    programs.mkdir(parents=True)
    for part in installation.iterdir():
        if part.name != "bin":
            (folder / "pginstall" / part.name).symlink_to(part)
    for program in (installation / "bin").iterdir():
        if program.name != "postgres":
            (programs / program.name).symlink_to(program)
    postgres = installation / "bin" / "postgres"
    # With `-k` it serves; without, it makes the cluster or says which version it is.
    waits = f'[ "$3" = -k ] && until [ -e "{gate}" ]; do sleep 0.05; done'
    (programs / "postgres").write_text(f'#!/bin/sh\n{waits}\nexec "{postgres}" "$@"\n')
    (programs / "postgres").chmod(0o755)
    return programs


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, and that the kernel gives to nobody meanwhile.

    Those that it picks by itself for connections lie above; each test process picks from a stretch of its own below.
    """
    found: list[int] = []
    while len(found) < count:
        port = next(_ports)
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            try:
                for each in (tcp, udp):
                    each.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
    return found


@dataclass
class Up:
    """One installation. It can be started again and again."""

    folder: Path = field(default_factory=new_data_folder)
    module: str = "rymi_server.entrypoints.cli"
    arguments: Sequence[str] = ("up",)
    rooms: bool = False
    # A start is quicker without those that a test does not ask for.
    agents: bool = False
    # The gateway, and carriers in a box.
    phones: bool = False
    more_environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.http_port, self.worker_port, self.rooms_port, self.media_port, self.agent_port = free_ports(5)
        self.gateway_port, self.gateway_metrics_port, self.box_port = free_ports(3)
        self._output = self.folder / "output"

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the machine's own settings, nor of those that code of ours has made in this test process."""
        ours = ("RYMI_", "LIVEKIT_", "ROOMLET_", "DATABASE_URL", "PUBLIC_", "OTEL_", "CARRIERBOX_")
        libraries = ("TOKIO_", "OPENBLAS_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith((*ours, *libraries))}
        return kept | {
            "RYMI_DATA_DIR": str(self.folder),
            "RYMI_HTTP_PORT": str(self.http_port),
            "RYMI_WORKER_PORT": str(self.worker_port),
            "RYMI_AGENT_PORT": str(self.agent_port),
            "RYMI_GATEWAY_PORT": str(self.gateway_port),
            "RYMI_GATEWAY_METRICS_PORT": str(self.gateway_metrics_port),
            "CARRIERBOX_PORT": str(self.box_port),
            "RYMI_UP_WITHOUT": ",".join(self._left_out),
            **(self._own_rooms if self.rooms else self._rooms_of_nobody),
            **self.more_environment,
        }

    @property
    def _left_out(self) -> list[str]:
        return ([] if self.agents else ["agent"]) + ([] if self.phones else ["gateway", "carrierbox"])

    @property
    def box_url(self) -> str:
        return f"http://127.0.0.1:{self.box_port}"

    @property
    def _own_rooms(self) -> dict[str, str]:
        media = str(self.media_port)
        return {"ROOMLET_HTTP_PORT": str(self.rooms_port), "ROOMLET_TCP_PORT": media, "ROOMLET_UDP_PORT": media}

    @property
    def _rooms_of_nobody(self) -> dict[str, str]:
        """Nothing listens there: a start is quicker without what a test does not ask for."""
        return {
            "LIVEKIT_URL": f"ws://localhost:{self.rooms_port}",
            "LIVEKIT_API_KEY": "devkey",
            "LIVEKIT_API_SECRET": "a-livekit-secret-for-tests-0123456789",
        }

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def output(self) -> str:
        """What this start has printed so far."""
        return self._output.read_text()

    def start(self) -> None:
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", self.module, *self.arguments],
                env=self.environment,
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def start_in_terminal(self) -> "Terminal":
        """With nobody else in it."""
        ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", _TAKES_TERMINAL, self.module, *self.arguments],
            env=self.environment | {"TERM": "xterm"},
            cwd=ROOT,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        return Terminal(ours)

    def wait_until_ready(self, *, seconds: float = 60) -> None:
        assert self.process is not None
        process = self.process

        def ready_or_gone() -> bool:
            return _READY in self.output or process.poll() is not None

        wait_for("`rymi up` to say that it is ready", ready_or_gone, seconds=seconds)
        assert _READY in self.output, self.output

    def command(self, *words: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """`rymi` with `words`, as an operator of this installation types it."""
        return subprocess.run(
            [sys.executable, "-m", "rymi_server.entrypoints.cli", *words],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )

    def printed_curl(self) -> str:
        """The line that it prints, as it stands there."""
        found = re.search(r"^curl (?:.*\\\n)*.*", self.output, re.MULTILINE)
        assert found, self.output
        return found.group()

    def key(self) -> str:
        found = re.search(r"Bearer (rymi_[0-9a-f]+)", self.output)
        assert found, self.output
        return found.group(1)

    def agent(self) -> str:
        found = re.search(r'"agent_id": "([0-9a-f-]+)"', self.output)
        assert found, self.output
        return found.group(1)

    def customer(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.key()}"}, timeout=30)

    def pid_of(self, name: str) -> int:
        """The running process of `api`, `postgres` or another; waits while it is being started again."""
        return wait_for(f"a process of {name}", lambda: self._pid_of(name))

    def _pid_of(self, name: str) -> int | None:
        alone = {"postgres": "bin/postgres", "agent": "rymi_server.entrypoints.agent"}
        program = alone.get(name, f"rymi {name}")
        return next((pid for pid in self.family() if _runs(pid, program)), None)

    def family(self) -> list[int]:
        """`up` and everybody below it."""
        assert self.process is not None
        found, looked = [self.process.pid], 0
        while looked < len(found):
            found += children_of(found[looked])
            looked += 1
        return found

    def stop(self) -> int:
        """Ask it to stop, and return its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


@dataclass
class Terminal:
    """Whoever sits there."""

    descriptor: int
    seen: str = ""

    def read_until(self, text: str, *, seconds: float = 60) -> None:
        wait_for(f"the terminal to show {text!r}", lambda: text in self._read(), seconds=seconds)

    def close(self) -> None:
        os.close(self.descriptor)

    def _read(self) -> str:
        while select.select([self.descriptor], [], [], 0)[0]:
            self.seen += os.read(self.descriptor, _AT_ONCE).decode(errors="replace")
        return self.seen


def children_of(pid: int) -> list[int]:
    """Of all its threads."""
    try:
        lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except FileNotFoundError:
        return []
    return [int(child) for text in lists for child in text.split()]


def is_alive(pid: int) -> bool:
    """A zombie has ended; only nobody has asked yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def _runs(pid: int, program: str) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return any(word.endswith(program) for word in words)
