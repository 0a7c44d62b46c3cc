"""What the stand-ins recognise: one of two sentences, by how long something loud was heard."""

import numpy as np

BLOCK = 320
LOUD = 500
SENTENCES = ("", "yes", "what are your opening hours")


def recognised(samples: np.ndarray) -> str:
    """Of samples between -32,768 and 32,767."""
    blocks = samples[: len(samples) // BLOCK * BLOCK].astype(np.float64).reshape(-1, BLOCK)
    loud = float((np.sqrt((blocks**2).mean(axis=1)) > LOUD).sum()) * 0.02 if len(blocks) else 0.0
    return SENTENCES[0 if loud < 0.15 else 1 if loud < 0.9 else 2]
