"""Typed configuration, read once at the start from flags and environment and refused whole if any of it is wrong."""

import argparse
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import urlsplit

from roomlet.limits import Limits

DEVELOPMENT_KEY = "devkey"
DEVELOPMENT_SECRET = "a-secret-for-development-and-nothing-else"
SHORTEST_SECRET = 32


class BadSettings(Exception):
    """One sentence that says which setting is wrong and what it should be."""


@dataclass(frozen=True, slots=True)
class Settings:
    api_key: str
    api_secret: str = field(repr=False)
    host: str = "127.0.0.1"
    http_port: int = 7880
    udp_port: int = 7882
    tcp_port: int = 7881
    media_addresses: tuple[str, ...] = ()
    """Where media is received; empty means every address of this machine."""
    advertised_addresses: tuple[str, ...] = ()
    """What clients are told; empty means the media addresses. Behind NAT or in a container, the outside address."""
    offer_udp: bool = True
    offer_tcp: bool = True
    webhook_urls: tuple[str, ...] = ()
    webhook_timeout_seconds: float = 5.0
    empty_timeout_seconds: int = 300
    departure_timeout_seconds: int = 20
    resume_seconds: float = 20.0
    media_silence_seconds: float = 30.0
    token_refresh_seconds: float = 300.0
    agent_leave_seconds: float = 3.0
    drain_seconds: float = 0.0
    log_level: str = "info"
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if not self.api_key or not self.api_secret:
            raise BadSettings("LIVEKIT_API_KEY and LIVEKIT_API_SECRET must be set (or start with --dev).")
        if len(self.api_secret.encode()) < SHORTEST_SECRET:
            raise BadSettings(f"LIVEKIT_API_SECRET must be at least {SHORTEST_SECRET} bytes long.")
        for address in (self.host, *self.media_addresses, *self.advertised_addresses):
            _check_address(address)
        for port in (self.http_port, self.udp_port, self.tcp_port):
            if not 0 <= port <= 65535:
                raise BadSettings(f"{port} is not a port; 0 means any free one.")
        for url in self.webhook_urls:
            if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
                raise BadSettings(f"{url!r} is not a webhook address; it must start with http:// or https://.")
        if not (self.offer_udp or self.offer_tcp):
            raise BadSettings("UDP and TCP cannot both be switched off: no media could flow.")


def _check_address(address: str) -> None:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        raise BadSettings(f"{address!r} is not an IP address.") from None


FLAGS: tuple[tuple[str, type, str], ...] = (
    ("host", str, "address for HTTP and signalling"),
    ("http_port", int, "HTTP and signalling port"),
    ("udp_port", int, "media port"),
    ("tcp_port", int, "media port for networks that block UDP"),
    ("empty_timeout_seconds", int, "close a room that nobody joined"),
    ("departure_timeout_seconds", int, "close a room that everybody left"),
    ("resume_seconds", float, "keep a participant whose signalling broke"),
    ("media_silence_seconds", float, "drop a participant whose media path died"),
    ("token_refresh_seconds", float, "send a fresh token to each participant this often"),
    ("agent_leave_seconds", float, "let a dismissed agent leave by itself for so long"),
    ("webhook_timeout_seconds", float, "give up on a webhook receiver that is silent for so long"),
    ("drain_seconds", float, "on SIGTERM, let calls go on for so long"),
    ("log_level", str, "debug, info, warning or error"),
)
LISTS = {
    "media_addresses": "addresses to receive media on (default: all of this machine's)",
    "advertised_addresses": "addresses to tell clients (default: the media addresses)",
    "webhook_urls": "who is told about rooms and participants",
}


def read(arguments: Sequence[str], environment: Mapping[str, str]) -> Settings:
    """Flags win over `ROOMLET_*`, which win over the defaults. Raises `BadSettings`."""
    parser = _parser()
    given = vars(parser.parse_args(list(arguments)))
    values: dict[str, Any] = {}
    for name, kind, _ in FLAGS:
        _put(values, name, kind, given[name] if given[name] is not None else environment.get(_variable(name)))
    for name in LISTS:
        text = given[name] if given[name] is not None else environment.get(_variable(name))
        if text is not None:
            values[name] = tuple(part.strip() for part in text.split(",") if part.strip())
    caps: dict[str, Any] = {}
    for cap in fields(Limits):
        text = given[f"limit_{cap.name}"]
        kind = float if cap.type in (float, "float") else int
        _put(caps, cap.name, kind, text if text is not None else environment.get(_variable(f"limit_{cap.name}")))
    key, secret = environment.get("LIVEKIT_API_KEY", ""), environment.get("LIVEKIT_API_SECRET", "")
    if given["dev"]:
        key, secret = key or DEVELOPMENT_KEY, secret or DEVELOPMENT_SECRET
    return Settings(
        key,
        secret,
        offer_udp=not given["no_udp"],
        offer_tcp=not given["no_tcp"],
        limits=Limits(**caps),
        **values,
    )


def _variable(name: str) -> str:
    return f"ROOMLET_{name.upper()}"


def _put(values: dict[str, Any], name: str, kind: type, text: str | None) -> None:
    if text is None:
        return
    try:
        values[name] = kind(text)
    except ValueError:
        raise BadSettings(f"{_variable(name)} must be a number, not {text!r}.") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="roomlet",
        description="A LiveKit-compatible room server for one machine. Keys come from LIVEKIT_API_KEY and "
        "LIVEKIT_API_SECRET; every flag can be given as ROOMLET_<FLAG> too.",
    )
    parser.add_argument("--dev", action="store_true", help=f"use the key {DEVELOPMENT_KEY!r} and its published secret")
    parser.add_argument("--no-udp", action="store_true", help="offer clients media over TCP only")
    parser.add_argument("--no-tcp", action="store_true", help="offer clients media over UDP only")
    for name, _, text in FLAGS:
        parser.add_argument(f"--{name.replace('_', '-')}", dest=name, help=text)
    for name, text in LISTS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", dest=name, help=f"{text}, comma-separated")
    for cap in fields(Limits):
        words = cap.name.replace("_", " ")
        parser.add_argument(f"--limit-{cap.name.replace('_', '-')}", dest=f"limit_{cap.name}", help=f"cap on {words}")
    return parser
