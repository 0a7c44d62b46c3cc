"""Several voices on one line. Pure."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]


def mixed(frames: Sequence[Samples]) -> Samples | None:
    """The sum, held within 16 bits; None for nobody."""
    if not frames:
        return None
    if len(frames) == 1:
        return frames[0]
    total = frames[0].astype(np.int32)
    for frame in frames[1:]:
        total += frame
    return np.clip(total, -32_768, 32_767).astype(np.int16)
