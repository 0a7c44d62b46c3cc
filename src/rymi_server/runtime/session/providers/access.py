"""What providers are asked with: their keys, and connections that are kept between the lines of a call.

Agents' authors name addresses of their own, and the keys are the operator's: a key goes to its provider, to this very
machine, and to hosts that the operator trusts with it.
"""

import importlib
from collections.abc import Collection, Mapping
from typing import Any, Final

import aiohttp

from rymi_server.speech_engines.naming import EngineName

# Servers of one's own mostly want no key, and the plugins want one to be given.
_NO_KEY: Final = "none"
_PATIENCE_S: Final = 15.0
_THIS_MACHINE: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Access:
    """Opened when it is first needed, on the event loop. Closed by its owner."""

    def __init__(self, keys: Mapping[str, str], trusted_hosts: Collection[str] = ()) -> None:
        self.keys = keys
        self._trusted = _THIS_MACHINE | frozenset(trusted_hosts)
        self._http: aiohttp.ClientSession | None = None
        self._clients: dict[tuple[str, str], Any] = {}

    @property
    def http(self) -> aiohttp.ClientSession:
        if self._http is None or self._http.closed:
            self._http = aiohttp.ClientSession()
        return self._http

    def key_of(self, name: EngineName) -> str:
        if not name.is_at_home and name.host not in self._trusted:
            return _NO_KEY
        found = next((self.keys[key] for key in name.entry.keys if self.keys.get(key)), "")
        return found or (_NO_KEY if name.url else "")

    def client(self, name: EngineName) -> Any:
        """Of OpenAI's or Anthropic's own library: the plugins leave those that they make open."""
        kept = (name.engine, name.url)
        if kept not in self._clients:
            library = importlib.import_module(name.engine)
            url = {"base_url": name.url} if name.url else {}
            # Whoever asks decides whether to ask again.
            client = library.AsyncClient(api_key=self.key_of(name), max_retries=0, timeout=_PATIENCE_S, **url)
            self._clients[kept] = client
        return self._clients[kept]

    async def aclose(self) -> None:
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.close()
        http, self._http = self._http, None
        if http is not None:
            await http.close()
