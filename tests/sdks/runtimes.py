"""The runtimes that `@rymi/node` promises to run in: where their programs are, and how each runs the same script."""

import json
import platform
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.sdks.building import HERE, Project, run
from tests.support.up import Up, free_ports
from tests.support.waiting import wait_for

SCRIPTS = HERE / "runtimes"
PROGRAMS = {
    "node-18": {"x86_64": "node-18-linux-x64/bin/node", "aarch64": "node-18-linux-arm64/bin/node"},
    "node-newest": {"x86_64": "node-newest-linux-x64/bin/node", "aarch64": "node-newest-linux-arm64/bin/node"},
    "bun": {"x86_64": "@oven/bun-linux-x64-baseline/bin/bun", "aarch64": "@oven/bun-linux-aarch64/bin/bun"},
    "deno": {"x86_64": "@deno/linux-x64-glibc/deno", "aarch64": "@deno/linux-arm64-glibc/deno"},
    "workerd": {
        "x86_64": "@cloudflare/workerd-linux-64/bin/workerd",
        "aarch64": "@cloudflare/workerd-linux-arm64/bin/workerd",
    },
}
WORDS = {
    "bun": ("run",),
    "deno": ("run", "--no-lock", "--no-remote", "--no-prompt", "--allow-net", "--allow-env", "--allow-read"),
}


def program(name: str) -> Path:
    """Skips where it is not installed, which `npm ci` beside the scripts does on Linux, or lacks a library."""
    path = SCRIPTS / "node_modules" / PROGRAMS[name].get(platform.machine(), "none")
    if not path.is_file():
        pytest.skip(f"{name} is not installed here: `make .venv/.clients` does it, on Linux")
    tried = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    if "error while loading shared libraries" in tried.stderr:
        pytest.skip(f"{name} does not start here: {tried.stderr.strip()}")
    return path


def run_script(name: str, project: Project, up: Up) -> Any:
    """What the script says that it saw."""
    for script in ("everywhere.mjs", "main.mjs"):
        project.write(script, (SCRIPTS / script).read_text())
    words = (program(name), *WORDS.get(name, ()), "main.mjs", up.agent())
    access = {"RYMI_API_KEY": up.key(), "RYMI_BASE_URL": up.url}
    said = run(*words, cwd=project.folder, environment=access)
    return json.loads(said)


def run_at_the_edge(project: Project, up: Up) -> Any:
    """In a worker, bundled with the package as whoever deploys one bundles it."""
    edge = program("workerd")
    project.write("everywhere.mjs", (SCRIPTS / "everywhere.mjs").read_text())
    project.bundle((SCRIPTS / "worker.mjs").read_text(), "worker-bundled")
    (port,) = free_ports(1)
    config = (SCRIPTS / "worker.capnp").read_text()
    filled = {"KEY": up.key(), "BASE_URL": up.url, "AGENT": up.agent(), "PORT": str(port)}
    for name, value in filled.items():
        config = config.replace(f"{{{name}}}", value)
    output = project.folder / "workerd.log"
    with output.open("w") as log:
        process = subprocess.Popen([edge, "serve", project.write("worker.capnp", config)], stdout=log, stderr=log)
    try:
        wait_for("workerd listens", lambda: listens(port, process, output), seconds=20)
        return httpx.get(f"http://127.0.0.1:{port}/run", timeout=60).json()
    finally:
        process.terminate()
        process.wait(10)


def listens(port: int, process: subprocess.Popen[bytes], output: Path) -> bool:
    assert process.poll() is None, output.read_text()
    try:
        return httpx.get(f"http://127.0.0.1:{port}/").text == "listening"
    except httpx.TransportError:
        return False
