"""Vendors of speech, each a server of its own that speaks the vendor's protocol."""

from collections.abc import AsyncIterator

import pytest
from tests.speech.cloud_vendors import anthropic_server, cartesia_server, elevenlabs_server, gemini_server
from tests.speech.vendors import Vendor, deepgram_server, openai_server


@pytest.fixture
async def openai() -> AsyncIterator[Vendor]:
    async with openai_server() as vendor:
        yield vendor


@pytest.fixture
async def deepgram() -> AsyncIterator[Vendor]:
    async with deepgram_server() as vendor:
        yield vendor


@pytest.fixture
async def cartesia() -> AsyncIterator[Vendor]:
    async with cartesia_server() as vendor:
        yield vendor


@pytest.fixture
async def elevenlabs() -> AsyncIterator[Vendor]:
    async with elevenlabs_server() as vendor:
        yield vendor


@pytest.fixture
async def anthropic() -> AsyncIterator[Vendor]:
    async with anthropic_server() as vendor:
        yield vendor


@pytest.fixture
async def gemini(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Vendor]:
    async with gemini_server() as vendor:
        # Where Google's library looks for another address than its own; its plugin for voices takes none.
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", vendor.url)
        yield vendor
