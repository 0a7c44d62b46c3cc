"""The processes that `rymi up` starts, as they are with no setting made."""

import pytest

from rymi_server.entrypoints.settings import Settings
from rymi_server.entrypoints.up.children import children_of


class TestChildren:
    def test_have_a_port_each(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("RYMI_UP_WITHOUT", "RYMI_CARRIERBOX_URL"):
            monkeypatch.delenv(name, raising=False)
        settings = Settings()
        ports = [child.port for child in children_of(settings, {})] + [settings.gateway_port]
        assert len(set(ports)) == len(ports), ports

    def test_can_all_be_left_out_by_their_names(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("RYMI_UP_WITHOUT", "RYMI_CARRIERBOX_URL"):
            monkeypatch.delenv(name, raising=False)
        names = [child.name for child in children_of(Settings(), {})]
        monkeypatch.setenv("RYMI_UP_WITHOUT", ", ".join(names))
        assert children_of(Settings(), {}) == []
