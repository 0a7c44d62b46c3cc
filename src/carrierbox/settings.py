"""What can be set, from the environment and the command line, read once at the start."""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class BadSetting(Exception):
    """The box cannot start like this; the message says what to change."""


@dataclass(frozen=True)
class Settings:
    """`speed` runs the box's clock faster than real time, for tests of long rings."""

    host: str = "127.0.0.1"
    port: int = 7300
    max_calls: int = 200
    remembered_calls: int = 1000
    remembered_recordings: int = 100
    recording_seconds: int = 1800
    speed: float = 1.0
    twilio_calls_per_second: float = 1.0
    plivo_calls_per_second: float = 2.0
    vonage_calls_per_second: float = 3.0
    twilio_signs_ports: bool = True
    control_token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.host not in LOOPBACK and not self.control_token:
            raise BadSetting(
                f"Listening on {self.host} lets others in: set CARRIERBOX_CONTROL_TOKEN, or listen on 127.0.0.1."
            )
        rates = (self.twilio_calls_per_second, self.plivo_calls_per_second, self.vonage_calls_per_second)
        if self.speed <= 0 or self.max_calls < 1 or self.recording_seconds < 1 or min(rates) <= 0:
            raise BadSetting("The speed, the calls a second, the most calls and the recording's length are above zero.")


def read_settings(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Settings:
    """The command line comes before the environment, the environment before the defaults."""
    parser = argparse.ArgumentParser(prog="carrierbox", description="Twilio, Plivo and Vonage on one machine.")
    standard = Settings()
    for name, what in OPTIONS.items():
        usual = getattr(standard, name)
        kind = yes_or_no if isinstance(usual, bool) else type(usual)
        raw = environment.get(f"CARRIERBOX_{name.upper()}", usual)
        try:
            default = kind(raw)
        except ValueError as error:
            raise BadSetting(f"CARRIERBOX_{name.upper()} is {raw!r}, which is no {kind.__name__}.") from error
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, default=default, help=f"{what} (now: {default})")
    given = vars(parser.parse_args(arguments))
    return Settings(**given, control_token=environment.get("CARRIERBOX_CONTROL_TOKEN", ""))


def yes_or_no(raw: object) -> bool:
    """`bool` takes every word for a yes."""
    words = {"true": True, "false": False}
    if str(raw).lower() not in words:
        raise ValueError(raw)
    return words[str(raw).lower()]


OPTIONS = {
    "host": "address to listen on",
    "port": "port to listen on; 0 takes any free one",
    "max_calls": "most calls at once",
    "remembered_calls": "ended calls to remember",
    "remembered_recordings": "ended calls whose sound is kept",
    "recording_seconds": "most seconds kept of what each end of a call heard",
    "speed": "how many times faster than real time the box's clock runs",
    "twilio_calls_per_second": "calls a second and account before Twilio queues",
    "plivo_calls_per_second": "calls a second and account before Plivo queues",
    "vonage_calls_per_second": "calls a second and account before Vonage refuses",
    "twilio_signs_ports": "true or false: whether Twilio signs an address with its port",
}
