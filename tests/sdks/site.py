"""A customer's web site: one page, and the script build of `@rymi/web` beside it."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from aiohttp import web
from tests.sdks.building import HERE, Project

PAGE = (HERE / "web" / "page.html").read_text()


@contextlib.asynccontextmanager
async def site(project: Project, pages: Mapping[str, str | Path] | None = None) -> AsyncIterator[str]:
    """On 127.0.0.1, because browsers give microphones only to pages of a secure origin. `pages` are by path."""
    application = web.Application()

    def serve(path: str, content: str | Path) -> None:
        async def answer(_: web.Request) -> web.StreamResponse:
            if isinstance(content, Path):
                return web.FileResponse(content)
            return web.Response(text=content, content_type="text/html")

        application.router.add_get(path, answer)

    every: dict[str, str | Path] = {"/": PAGE, "/rymi.js": project.package("web") / "dist" / "rymi.js", **(pages or {})}
    for path, content in every.items():
        serve(path, content)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
