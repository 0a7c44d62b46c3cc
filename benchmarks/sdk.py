"""What `@rymi/web` costs: bytes on the wire, and time until `started`, beside livekit-client's own connect.

Both enter one room in one browser, in turns, so that a slow moment of the machine meets both.
"""

import asyncio
import gzip
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

from tests.roomlet.people import new_name, token
from tests.roomlet.running import Running, roomlet
from tests.sdks.browsing import Page, browsing
from tests.sdks.building import SDKS, Project, make_project
from tests.sdks.site import site

from benchmarks.measuring import table

_TIMES = 30
BUDGET_GZIPPED = 8_000
BUDGET_ADDED_MS = 50.0
LIVEKIT = SDKS / "node_modules" / "livekit-client" / "dist" / "livekit-client.umd.js"
PAGE = """<!doctype html><script src="/livekit.js"></script><script src="/rymi.js"></script><script>
  async function bare(url, token) {
    const room = new LivekitClient.Room();
    const began = performance.now();
    await room.connect(url, token);
    const took = performance.now() - began;
    await room.disconnect();
    return took;
  }
  async function ours(url, token) {
    const call = Rymi.createCall({ url, token });
    const began = performance.now();
    const started = new Promise((done) => call.on('started', () => done(performance.now() - began)));
    await call.connect();
    const took = await started;
    await call.disconnect();
    return took;
  }
</script>"""


def main() -> dict[str, object]:
    return asyncio.run(_measured())


async def _measured() -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        project = make_project(Path(folder))
        sizes = {entry: _size(project, entry) for entry in ("@rymi/web", "@rymi/web/element")}
        sizes["script with livekit-client"] = len(
            gzip.compress((project.package("web") / "dist" / "rymi.js").read_bytes(), 9)
        )
        bare, ours = await _times(project)
    added = statistics.median(ours) - statistics.median(bare)
    table(["gzipped", "bytes"], list(sizes.items()))
    rows: list[list[Any]] = [
        [name, statistics.median(times), statistics.quantiles(times, n=20)[-1]]
        for name, times in (("livekit-client connect", bare), ("createCall to started", ours))
    ]
    table(["ms", "median", "p95"], [*rows, ["added", added, ""]])
    return {
        "gzipped_bytes": sizes,
        "connect_ms": statistics.median(bare),
        "started_ms": statistics.median(ours),
        "added_ms": round(added, 1),
        "within_budget": added <= BUDGET_ADDED_MS and sizes["@rymi/web/element"] <= BUDGET_GZIPPED,
    }


def _size(project: Project, entry: str) -> int:
    """Without livekit-client, as a bundler leaves it."""
    source = f"import * as all from '{entry}'; console.log(all);"
    flags = ("--minify", "--external:livekit-client", "--target=es2022")
    return len(gzip.compress(project.bundle(source, f"size-{entry.count('/')}", *flags).read_bytes(), 9))


async def _times(project: Project) -> tuple[list[float], list[float]]:
    pages: dict[str, str | Path] = {"/": PAGE, "/livekit.js": LIVEKIT}
    async with roomlet() as rooms, browsing() as browser, site(project, pages) as address:
        page = await browser.open(address)
        for way in ("bare", "ours"):
            await _once(page, rooms, way)
        taken: dict[str, list[float]] = {"bare": [], "ours": []}
        for _ in range(_TIMES):
            for way, times in taken.items():
                times.append(await _once(page, rooms, way))
    return taken["bare"], taken["ours"]


async def _once(page: Page, rooms: Running, way: str) -> float:
    minted = token(rooms, "room", new_name("visitor"))
    took: float = await page.run(f"{way}({json.dumps(rooms.url)}, {json.dumps(minted)})")
    return took


if __name__ == "__main__":
    main()
