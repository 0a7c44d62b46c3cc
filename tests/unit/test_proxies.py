"""Who is asked past the proxy that the environment names."""

import pytest

from rymi_server.foundation.proxies import is_reached_directly
from rymi_server.rooms.sdk_proxies import proxy_of_workers, reach_rooms_directly

PROXY = "http://proxy.example:3128"


class TestAServerIsReachedDirectly:
    @pytest.mark.parametrize(
        "url", ["http://localhost:8000", "ws://127.0.0.1:7880", "ws://127.4.0.2:7880", "http://[::1]:8000/v1"]
    )
    def test_on_this_machine(self, url: str) -> None:
        assert is_reached_directly(url)

    @pytest.mark.parametrize("url", ["wss://rooms.example", "wss://eu.rooms.example:7443", "http://key@10.0.0.7:7880"])
    def test_where_the_environment_says_so(self, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
        assert not is_reached_directly(url)
        monkeypatch.setenv("NO_PROXY", "rooms.example,10.0.0.7:7880")
        assert is_reached_directly(url)


class TestTheSdkOfTheRooms:
    """What it knows of proxies are two names in the environment."""

    def test_is_kept_from_a_proxy_on_its_way_to_this_machine(self) -> None:
        environment = {"HTTP_PROXY": PROXY, "http_proxy": PROXY, "HTTPS_PROXY": PROXY, "PATH": "/bin"}
        reach_rooms_directly("ws://localhost:7880", environment)
        assert environment == {"HTTPS_PROXY": PROXY, "PATH": "/bin"}

    def test_leaves_the_proxy_to_others_where_it_must_not_ask_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NO_PROXY", "rooms.example")
        environment = {"HTTPS_PROXY": PROXY}
        reach_rooms_directly("wss://rooms.example", environment)
        assert environment == {"ALL_PROXY": PROXY}

    def test_asks_the_proxy_for_everybody_else(self) -> None:
        environment = {"HTTPS_PROXY": PROXY}
        reach_rooms_directly("wss://rooms.example", environment)
        assert environment == {"HTTPS_PROXY": PROXY}


class TestAWorkersConnection:
    @pytest.fixture(autouse=True)
    def proxied(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTPS_PROXY", PROXY)
        monkeypatch.setenv("NO_PROXY", "near.example")

    def test_goes_through_the_proxy_where_there_is_one_on_the_way(self) -> None:
        assert proxy_of_workers("wss://far.example") == PROXY
        assert proxy_of_workers("wss://near.example") is None
        assert proxy_of_workers("ws://localhost:7880") is None
