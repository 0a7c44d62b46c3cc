"""One installation, started as a person starts it, for the tests that only look at it."""

import shutil
from collections.abc import Iterator

import pytest
from tests.support.up import Up, new_data_folder


@pytest.fixture(scope="session")
def up() -> Iterator[Up]:
    """Running, after its first start, in a folder like that of macOS, which is below `Application Support`."""
    up = Up(folder=new_data_folder("rymi up-"), rooms=True)
    up.start()
    try:
        up.wait_until_ready()
        yield up
    finally:
        up.stop()
        shutil.rmtree(up.folder)
