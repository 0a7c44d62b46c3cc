"""One installation, started as a person starts it, for the tests that only look at it."""

import shutil
from collections.abc import Iterator

import pytest
from tests.support.up import Up


@pytest.fixture(scope="session")
def up() -> Iterator[Up]:
    """Running, after its first start."""
    up = Up()
    up.start()
    try:
        up.wait_until_ready()
        yield up
    finally:
        up.stop()
        shutil.rmtree(up.folder)
