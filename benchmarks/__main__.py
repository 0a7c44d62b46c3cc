"""Runs the benchmarks named on the command line, or all of them."""

import importlib
import json
import sys
from pathlib import Path

from benchmarks.processor import telling_of_theft

ALL = (
    "creating",
    "listing",
    "startup",
    "dialing",
    "post_call",
    "roomlet",
    "carrierbox",
    "turns",
    "engines",
    "gateway",
    "agent",
    "recording",
    "sdk",
    "thinking",
)
RESULTS = Path(__file__).parent / "results"


def main() -> None:
    RESULTS.mkdir(exist_ok=True)
    for name in sys.argv[1:] or ALL:
        print(f"\n== {name}", flush=True)
        with telling_of_theft():
            result = importlib.import_module(f"benchmarks.{name}").main()
        (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2, default=str) + "\n")


if __name__ == "__main__":
    main()
