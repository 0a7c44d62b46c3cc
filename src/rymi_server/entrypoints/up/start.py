"""`rymi up`, before anything is loaded for it: a nursery loads the API while this process loads what starts it."""

import importlib
import time

from rymi_server.entrypoints.up.births import HAS_NURSERIES, Nurseries


def run() -> None:
    began = time.monotonic()
    nurseries = Nurseries()
    if HAS_NURSERIES:
        nurseries.open()
        nurseries.load(["rymi_server.entrypoints.api"])
    importlib.import_module("rymi_server.entrypoints.up.run").run(began, nurseries)
