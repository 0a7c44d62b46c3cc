"""Makes an Opus file of a WAV: a twentieth of the size, for whoever listens in a browser.

Runs as a process of its own, with PyAV where that is installed (it comes with the agent's packages). Without it there
is no Opus file, and nothing else is different.

    python -m rymi_server.recordings.opus sound.wav sound.ogg
"""

import importlib.util
import os
import sys

from rymi_server.foundation.orphans import end_with_parent

_BITS_A_SECOND = 32_000
# Nobody waits for it, so everything else on the machine goes first.
_NICENESS = 10


def can_encode() -> bool:
    return importlib.util.find_spec("av") is not None


def encode(wav: str, into: str) -> None:
    """In bounded memory."""
    import av  # noqa: PLC0415 - optional, and heavy: only this process loads it.

    with av.open(wav) as source, av.open(into, "w", format="ogg") as target:
        stream = target.add_stream("libopus", rate=48_000, layout="stereo")
        stream.bit_rate = _BITS_A_SECOND
        for frame in source.decode(audio=0):
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))


if __name__ == "__main__":
    end_with_parent()
    os.nice(_NICENESS)
    encode(sys.argv[1], sys.argv[2])
