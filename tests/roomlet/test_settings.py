"""Settings are whole and right, or the server does not start and says why in one sentence."""

import pytest

from roomlet.addresses import reachable
from roomlet.limits import RatePerSource, TokenBucket
from roomlet.settings import BadSettings, Settings, read

KEYS = {"LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "a-secret-that-is-long-enough-for-tests"}


class TestReading:
    def test_defaults_are_livekit_s_ports(self) -> None:
        settings = read([], KEYS)
        assert (settings.http_port, settings.tcp_port, settings.udp_port) == (7880, 7881, 7882)

    def test_flags_win_over_the_environment(self) -> None:
        environment = {**KEYS, "ROOMLET_HTTP_PORT": "1111", "ROOMLET_UDP_PORT": "2222"}
        settings = read(["--http-port", "3333"], environment)
        assert (settings.http_port, settings.udp_port) == (3333, 2222)

    def test_every_limit_can_be_set(self) -> None:
        settings = read(
            ["--limit-rooms", "7", "--limit-joins-per-second", "2.5"], {**KEYS, "ROOMLET_LIMIT_PARTICIPANTS": "9"}
        )
        assert (settings.limits.rooms, settings.limits.joins_per_second, settings.limits.participants) == (7, 2.5, 9)

    def test_lists_are_split(self) -> None:
        settings = read(["--webhook-urls", "http://a/x, https://b/y"], KEYS)
        assert settings.webhook_urls == ("http://a/x", "https://b/y")

    def test_development_needs_no_keys(self) -> None:
        assert read(["--dev"], {}).api_key == "devkey"

    def test_the_secret_is_not_shown(self) -> None:
        assert KEYS["LIVEKIT_API_SECRET"] not in repr(read([], KEYS))

    @pytest.mark.parametrize(
        ("flags", "environment", "says"),
        [
            ([], {}, "LIVEKIT_API_KEY"),
            ([], {**KEYS, "LIVEKIT_API_SECRET": "short"}, "32 bytes"),
            (["--http-port", "70000"], KEYS, "70000 is not a port"),
            (["--http-port", "eighty"], KEYS, "ROOMLET_HTTP_PORT must be a number"),
            (["--host", "localhost"], KEYS, "is not an IP address"),
            (["--media-addresses", "1.2.3"], KEYS, "is not an IP address"),
            (["--webhook-urls", "ftp://a"], KEYS, "webhook address"),
            (["--no-udp", "--no-tcp"], KEYS, "cannot both be switched off"),
        ],
    )
    def test_what_is_wrong_is_said(self, flags: list[str], environment: dict[str, str], says: str) -> None:
        with pytest.raises(BadSettings, match=says):
            read(flags, environment)

    def test_a_built_one_is_checked_too(self) -> None:
        with pytest.raises(BadSettings):
            Settings("key", "")


class TestAddresses:
    def test_loopback_comes_last_and_what_needs_a_scope_not_at_all(self) -> None:
        found = ["127.0.0.1", "::1", "fe80::1%eth0", "192.0.2.7", "169.254.1.1", "2001:db8::7"]
        assert reachable(found) == ("192.0.2.7", "2001:db8::7", "127.0.0.1", "::1")

    def test_a_machine_without_ipv6_offers_none(self) -> None:
        assert reachable(["127.0.0.1", "::1", "192.0.2.7"]) == ("192.0.2.7", "127.0.0.1")


class TestRates:
    def test_a_burst_passes_and_then_the_rate_holds(self) -> None:
        bucket = TokenBucket(rate=2, burst=3, now=0.0)
        assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
        assert [bucket.take(0.5), bucket.take(0.5)] == [True, False]

    def test_sources_do_not_share(self) -> None:
        rate = RatePerSource(1, 1)
        assert [rate.take("a", 0.0), rate.take("a", 0.0), rate.take("b", 0.0)] == [True, False, True]

    def test_a_flood_of_sources_does_not_grow_the_table(self) -> None:
        rate = RatePerSource(1, 1, sources=10)
        for number in range(1000):
            rate.take(str(number), 0.0)
        assert len(rate._buckets) == 10
