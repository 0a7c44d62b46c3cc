"""What the garbage collector looks at in a process that must not be held up."""

import gc
from typing import Final

_NEW_OBJECTS_BEFORE_A_LOOK: Final = 10_000


def leave_what_is_loaded() -> None:
    """Have the collector look only at what comes after this, and at that less often.

    Modules, models and the like stay as long as the process, and a look through all of them takes a tenth of a second.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS_BEFORE_A_LOOK, 20, 20)
