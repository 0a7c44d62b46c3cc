"""The packages, and an installation for them to talk to."""

import shutil
from collections.abc import Iterator

import pytest
from tests.sdks.building import Project, make_project, skip_without_node
from tests.support.up import Up


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    skip_without_node()
    return make_project(tmp_path_factory.mktemp("sdks"))


@pytest.fixture(scope="session")
def up() -> Iterator[Up]:
    """Running, after its first start."""
    skip_without_node()
    up = Up(rooms=True)
    up.start()
    try:
        up.wait_until_ready(seconds=120)
        yield up
    finally:
        up.stop()
        shutil.rmtree(up.folder)
