"""The SDKs as they are published: built from a copy of the sources, packed by npm, and unpacked into a project."""

import os
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SDKS = ROOT / "sdks"
HERE = Path(__file__).parent
NO_NODE = "no Node.js here: the SDKs cannot be tested"
NO_PACKAGES = "what the SDKs are built with is not installed: `make .venv/.clients` does it"


def skip_without_node() -> None:
    if shutil.which("node") is None:
        pytest.skip(NO_NODE)
    if not (SDKS / "node_modules").is_dir():
        pytest.skip(NO_PACKAGES)


def run(*words: str | Path, cwd: Path, seconds: float = 120, environment: Mapping[str, str] | None = None) -> str:
    """What the program printed; its failure with all it said otherwise."""
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
    assert done.returncode == 0, f"{words} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@dataclass(frozen=True)
class Project:
    """A folder in which `@rymi/node` and `@rymi/web` are installed from their packages."""

    folder: Path
    # The talk page as it comes out of these sources.
    talk_site: Path

    def package(self, name: str) -> Path:
        return self.folder / "node_modules" / "@rymi" / name

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    def node(self, script: Path, **environment: str) -> str:
        return run("node", script, cwd=self.folder, environment=environment)

    def bundle(self, source: str, name: str, *flags: str) -> Path:
        """TypeScript as one file that runs."""
        self.write(f"{name}.ts", source)
        made = self.folder / f"{name}.mjs"
        esbuild = SDKS / "node_modules" / "esbuild" / "bin" / "esbuild"
        run(esbuild, f"{name}.ts", "--bundle", "--format=esm", f"--outfile={made}", *flags, cwd=self.folder)
        return made


def make_project(folder: Path) -> Project:
    sources = folder / "sources"
    leave_out = shutil.ignore_patterns("node_modules", "dist", "*.tgz")
    shutil.copytree(SDKS, sources, ignore=leave_out)
    shutil.copy(ROOT / "LICENSE", folder / "LICENSE")
    (sources / "node_modules").symlink_to(SDKS / "node_modules")
    run("node", "build.mjs", cwd=sources, environment={"RYMI_TALK_SITE": str(folder / "site")})
    project = Project(folder / "project", folder / "site")
    for name in ("node", "web"):
        _install(sources / name, project.package(name))
    for needed in ("livekit-client", "typescript", "@types", "undici-types", "@livekit", "@bufbuild"):
        (project.folder / "node_modules" / needed).symlink_to(SDKS / "node_modules" / needed)
    project.write("package.json", '{"type": "module"}')
    return project


def _install(package: Path, into: Path) -> None:
    made = run("npm", "pack", "--silent", "--ignore-scripts", cwd=package).split()[-1]
    into.mkdir(parents=True)
    with tarfile.open(package / made) as archive:
        archive.extractall(into.parent / f"{into.name}.unpacked")
    unpacked = into.parent / f"{into.name}.unpacked"
    into.rmdir()
    (unpacked / "package").rename(into)
    unpacked.rmdir()
