"""The processes that `rymi up` starts: a line each."""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass

from rymi_server.entrypoints.ports import as_socket, url_on_this_machine
from rymi_server.entrypoints.setting_forms import BOX_PORT, ROOMS_PORT
from rymi_server.entrypoints.settings import Settings

DEFAULT_ROOMS_PORT, _DEFAULT_BOX_PORT = "7880", "7300"


BOX = "carrierbox"


@dataclass(frozen=True, slots=True)
class Child:
    """A Python module whose `main` runs as a process, and where it says whether it is ready."""

    name: str
    module: str
    host: str
    port: int
    port_setting: str
    ready_path: str = "/readyz"
    is_alone: bool = False
    """It shares so little code with the others that it loads its own at the same time as they do."""
    is_asked: bool = False
    """Others of ours have business with it to their end, so it stops after them."""

    @property
    def url(self) -> str:
        return url_on_this_machine(self.host, self.port)


def has_rooms(environment: Mapping[str, str]) -> bool:
    """Whether rooms are ours to run: nobody has named a LiveKit server, and the embedded one is installed."""
    return "LIVEKIT_URL" not in environment and importlib.util.find_spec("roomlet.__main__") is not None


def rooms_port(environment: Mapping[str, str]) -> int:
    return int(environment.get(ROOMS_PORT, DEFAULT_ROOMS_PORT))


def rooms_host(environment: Mapping[str, str]) -> str:
    return environment.get("ROOMLET_HOST", "127.0.0.1")


def rooms_url(environment: Mapping[str, str]) -> str:
    return as_socket(url_on_this_machine(rooms_host(environment), rooms_port(environment)))


def box_port(environment: Mapping[str, str]) -> int:
    return int(environment.get(BOX_PORT, _DEFAULT_BOX_PORT))


def children_of(settings: Settings, environment: Mapping[str, str]) -> list[Child]:
    """In the order in which they are started."""
    host = settings.http_host
    table = [
        Child("api", "rymi_server.entrypoints.api", host, settings.http_port, "RYMI_HTTP_PORT", is_asked=True),
        Child("worker", "rymi_server.entrypoints.worker", host, settings.worker_metrics_port, "RYMI_WORKER_PORT"),
    ]
    if importlib.util.find_spec("livekit.agents") is not None:
        module, port = "rymi_server.entrypoints.agent", settings.agent_port
        table.append(Child("agent", module, host, port, "RYMI_AGENT_PORT", is_alone=True))
    if has_rooms(environment):
        at, port = rooms_host(environment), rooms_port(environment)
        table.append(Child("rooms", "roomlet.__main__", at, port, ROOMS_PORT, "/healthz", is_asked=True))
    if importlib.util.find_spec("livekit.rtc") is not None:
        table += _phones(settings, environment)
    left_out = {name.strip() for name in settings.up_without.split(",")}
    return [child for child in table if child.name not in left_out]


def _phones(settings: Settings, environment: Mapping[str, str]) -> list[Child]:
    gateway = Child(
        "gateway",
        "rymi_server.entrypoints.gateway",
        settings.http_host,
        settings.gateway_metrics_port,
        "RYMI_GATEWAY_METRICS_PORT",
    )
    host = environment.get("CARRIERBOX_HOST", "127.0.0.1")
    box = Child(BOX, "carrierbox.__main__", host, box_port(environment), BOX_PORT, "/healthz", is_asked=True)
    # Who has named another box, or needs none, runs none.
    return [gateway] if settings.carrierbox_url else [gateway, box]
