"""A newborn for whom all is loaded that `rymi up` loads in a nursery."""

import importlib

from tests.support.newborn import main

from rymi_server.entrypoints.settings import Settings
from rymi_server.entrypoints.up.children import children_of

__all__ = ["main"]

for _child in children_of(Settings(), {}):
    if not _child.is_alone:
        importlib.import_module(_child.module)
