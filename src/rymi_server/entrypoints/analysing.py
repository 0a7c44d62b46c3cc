"""Builds what reads finished calls: `async with analyst(settings) as analyse`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from rymi_server.entrypoints.settings import Settings
from rymi_server.intelligence.analysing import analyse
from rymi_server.intelligence.analysis import AnalysisRequest, AnalysisResult
from rymi_server.intelligence.catalog import ModelCatalog
from rymi_server.post_call.analyse import Analyse

_CONNECTIONS = httpx.Limits(max_connections=32, max_keepalive_connections=8)


@asynccontextmanager
async def analyst(settings: Settings) -> AsyncIterator[Analyse]:
    """With the models that the installation has keys of; by rules where it has none."""
    # How long an answer may take is the endpoint's to say.
    async with httpx.AsyncClient(limits=_CONNECTIONS, timeout=None) as client:  # noqa: S113
        catalog = ModelCatalog(
            client,
            settings.model_access(settings.provider_keys()),
            settings.analysis_model,
            settings.analysis_key,
            settings.analysis_timeout_seconds,
        )

        async def read(request: AnalysisRequest) -> AnalysisResult:
            return await analyse(request, catalog)

        yield read
