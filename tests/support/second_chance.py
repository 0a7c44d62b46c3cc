"""Whether what failed in a run of all tests may be tried once more with nothing beside it.

Reads what pytest printed, and exits with 0 if it may. Only where little failed, and that in real time: where much did,
it was not for want of a processor, and whatever else fails would fail again.
"""

import re
import sys
from collections.abc import Iterable

from tests.support.order_of_files import OF_REAL_TIME, folder_of

AT_MOST = 3
_UNSUCCESSFUL = re.compile(r"(FAILED|ERROR) (tests/\S+)")


def may_have_one(printed: Iterable[str]) -> bool:
    # A test that was run again is told of twice: with its tries, and with all that failed.
    found = {match.groups() for line in printed if (match := _UNSUCCESSFUL.match(line))}
    return 0 < len(found) <= AT_MOST and all(
        outcome == "FAILED" and folder_of(test) in OF_REAL_TIME for outcome, test in found
    )


if __name__ == "__main__":
    sys.exit(0 if may_have_one(sys.stdin) else 1)
