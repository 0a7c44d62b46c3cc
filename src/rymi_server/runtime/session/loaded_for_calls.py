"""Imported once by the process that those of all calls are forked from: what none of them then does for itself.

No thread may be begun here, because none would be in a process that is forked.
"""

import asyncio

from livekit.agents import tokenize, utils

from rymi_server.foundation.public_network import authorities_here
from rymi_server.speech_engines.sphinx.worker import english

# Reads its patterns.
tokenize.basic.hyphenate_word("loading")
authorities_here()
english()


async def _open_once() -> None:
    """Whom the library trusts is read when it first opens its connections."""
    async with utils.http_context.open():
        pass


asyncio.run(_open_once())
