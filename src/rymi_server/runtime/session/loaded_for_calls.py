"""Imported once by the process that those of all calls are forked from: what none of them then does for itself.

No thread may be begun here, because none would be in a process that is forked.
"""

from livekit.agents import tokenize

from rymi_server.foundation.public_network import authorities_here
from rymi_server.speech_engines.sphinx.worker import english

# Reads its patterns.
tokenize.basic.hyphenate_word("loading")
authorities_here()
english()
