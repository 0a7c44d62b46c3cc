"""What providers are asked with: their keys, and connections that are kept between the lines of a call."""

import importlib
from collections.abc import Mapping
from typing import Any, Final

import aiohttp

from rymi_server.speech_engines.naming import EngineName

# Servers of one's own mostly want no key, and the plugins want one to be given.
_NO_KEY: Final = "none"
_PATIENCE_S: Final = 15.0


class Access:
    """Opened when it is first needed, on the event loop. Closed by its owner."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        self.keys = keys
        self._http: aiohttp.ClientSession | None = None
        self._openai: dict[str, Any] = {}

    @property
    def http(self) -> aiohttp.ClientSession:
        if self._http is None or self._http.closed:
            self._http = aiohttp.ClientSession()
        return self._http

    def key_of(self, name: EngineName) -> str:
        found = next((self.keys[key] for key in name.entry.keys if self.keys.get(key)), "")
        return found or (_NO_KEY if name.url else "")

    def openai(self, name: EngineName) -> Any:
        """A client of OpenAI's library: its plugin leaves those that it makes open."""
        if name.url not in self._openai:
            library = importlib.import_module("openai")
            url = {"base_url": name.url} if name.url else {}
            # Whoever asks decides whether to ask again.
            client = library.AsyncClient(api_key=self.key_of(name), max_retries=0, timeout=_PATIENCE_S, **url)
            self._openai[name.url] = client
        return self._openai[name.url]

    async def aclose(self) -> None:
        clients, self._openai = self._openai, {}
        for client in clients.values():
            await client.close()
        http, self._http = self._http, None
        if http is not None:
            await http.close()
