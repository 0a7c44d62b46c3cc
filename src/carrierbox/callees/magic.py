"""The numbers that always behave the same way, and what everybody else does."""

from typing import Final

from carrierbox.callees.script import (
    Beep,
    Being,
    Listen,
    Move,
    Overhear,
    Pickup,
    Press,
    Say,
    Script,
    Stay,
    Wait,
)
from carrierbox.line.condition import Condition

PREFIX: Final = "+120255501"

_TALK: Final[tuple[Move, ...]] = (
    Wait(400),
    Say("Hello?"),
    Listen(),
    Say("What are your opening hours?"),
    Listen(),
    Say("I would like to book an appointment."),
    Listen(),
    Say("Okay, thank you. Goodbye."),
    Listen(quiet_ms=1200, patience_ms=3000),
)

_GREETING: Final = "Hi, you have reached Sarah Miller. I can not answer now. Please leave a message after the tone."

_SCRIPTS: Final = {
    "00": Script(_TALK, name="talks"),
    "01": Script(pickup=Pickup.BUSY, name="busy"),
    "02": Script(pickup=Pickup.NO_ANSWER, name="no answer"),
    "03": Script(pickup=Pickup.REJECTS, name="rejects"),
    "04": Script(
        (Wait(300), Say(_GREETING, "en-us+f3"), Wait(300), Beep(), Listen(quiet_ms=4000, patience_ms=8000)),
        ring_ms=3000,
        being=Being.MACHINE,
        name="voicemail",
    ),
    "05": Script(
        (Wait(400), Say("Hello? I am sorry, this is really not a good moment to talk.", cut_ms=1500)),
        name="hangs up in mid-word",
    ),
    "06": Script(
        (Wait(400), Say("Hello?"), Listen(), Press("1"), Listen(), Press("42#"), Listen()),
        name="presses keys",
    ),
    "07": Script(_TALK, condition=Condition(noise_db=-30.0), name="noisy line"),
    "08": Script(_TALK, condition=Condition(loss=0.05, jitter_ms=300), name="lossy and jittery line"),
    "09": Script((Wait(90_000),), being=Being.UNKNOWN, name="stays silent"),
    "10": Script(
        (
            Wait(400),
            Say("Hello?"),
            Overhear(speech_ms=1200),
            Say("Sorry, can I stop you there? What are your opening hours?"),
            Listen(),
            Say("Okay, thank you. Goodbye."),
            Wait(500),
        ),
        name="barges in",
    ),
}

STRANGER: Final = Script((Wait(400), Say("Hello, this is a test call."), Wait(300)), name="says one line")
CALLER: Final = Script((*_TALK[2:],), name="caller")
LISTENER: Final = Script((Stay(),), name="listens")


def script_for(number: str) -> Script:
    return _SCRIPTS.get(number.removeprefix(PREFIX), STRANGER) if number.startswith(PREFIX) else STRANGER


def magic_numbers() -> dict[str, str]:
    return {f"{PREFIX}{ending}": script.name for ending, script in _SCRIPTS.items()}
