"""Everything between a phone and a room, in one hand: place a call on a carrier, and hear who hears whom."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from livekit import rtc
from prometheus_client import CollectorRegistry
from tests.carrierbox.customer import Customer
from tests.carrierbox.lab import Lab
from tests.carrierbox.sound import Samples, tone
from tests.gateway.carriers import CARRIERS
from tests.gateway.standing_in import Ledger, TestDoor, new_guest
from tests.roomlet.running import Running
from tests.roomlet.waiting import eventually

from carrierbox.line.recording import write_wav
from rymi_server.calls.models import Role
from rymi_server.entrypoints.ports import listen
from rymi_server.foundation.ids import CallId, new_uuid
from rymi_server.rooms.access import access_for
from rymi_server.rooms.livekit_server import LiveKit
from rymi_server.rooms.sdk_events import direct_events
from rymi_server.telephony.bridge.bridge import Bridge
from rymi_server.telephony.bridge.gateway import Gateway
from rymi_server.telephony.bridge.guests import Ending, Guest
from rymi_server.telephony.bridge.listening import listening
from rymi_server.telephony.bridge.measures import Measures
from rymi_server.telephony.bridge.room_seat import Access, RoomSeat
from rymi_server.telephony.carriers.plivo.media import PlivoMedia
from rymi_server.telephony.carriers.twilio.media import TwilioMedia
from rymi_server.telephony.carriers.vonage.media import VonageMedia

WIRES = {"twilio": TwilioMedia, "plivo": PlivoMedia, "vonage": VonageMedia}


@dataclass(frozen=True)
class Phone:
    """A phone that was called."""

    number: str
    box_id: str
    guest: Guest

    @property
    def identity(self) -> str:
        """Who it is in the room."""
        return self.guest.participant.id


@dataclass
class Station:
    rooms: Running
    lab: Lab
    customer: Customer
    door: TestDoor
    ledger: Ledger
    registry: CollectorRegistry
    number: int
    port: int = 0

    def __post_init__(self) -> None:
        self.call_id = CallId(new_uuid())
        self.room = f"call_{self.call_id}"
        self.livekit = LiveKit(self.rooms.url, self.rooms.url, self.rooms.key, self.rooms.secret)
        self.measures = Measures(self.registry)
        self.gateway = Gateway(WIRES, self.door, self.ledger, self._seat, self.measures, most_bridges=50)
        self.enough = asyncio.Event()

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        at = listen("127.0.0.1", 0, "none")
        self.port = at.getsockname()[1]
        async with listening(self.gateway, at):
            yield
            self.enough.set()
            await self.gateway.drain(5, self.enough)

    def media_url(self, carrier: str, leg_id: str, token: str) -> str:
        return f"ws://127.0.0.1:{self.port}/media/{carrier}/{leg_id}/{token}"

    async def call(
        self, carrier: str, *moves: dict[str, object], role: Role = Role.CUSTOMER, **script: object
    ) -> Phone:
        """Somebody who answers and does this, bridged into the room."""
        guest = new_guest(self.call_id, role)
        token = f"t{new_uuid().replace('-', '')}"
        self.door.guests[token] = guest
        number = f"+1202555{7000 + self.number * 2 + len(self.door.guests)}"
        await self.lab.script(number, *moves, {"do": "stay"}, **script)
        url = self.media_url(carrier, guest.leg_id, token)
        box_id = await CARRIERS[carrier](self.lab, self.customer, url, number)
        await eventually(f"{carrier}'s phone is bridged", lambda: guest.leg_id in self.ledger.bridged_legs, seconds=20)
        return Phone(number, box_id, guest)

    async def ended(self, phone: Phone) -> Ending:
        await eventually("the bridge is over", lambda: phone.guest.leg_id in self.ledger.endings, seconds=20)
        return self.ledger.endings[phone.guest.leg_id]

    async def fault(self, phone: Phone, act: str, **more: object) -> None:
        """Something goes wrong with the phone's socket."""
        await self.lab.send("POST", "/faults", {"target": "media", "act": act, "call_id": phone.box_id, **more})

    async def suffered(self, phone: Phone, faults: int) -> None:
        """Wait until so many things have gone wrong."""
        async with asyncio.timeout(20):
            while True:
                timeline = (await self.lab.get(f"/calls/{phone.box_id}"))["timeline"]
                if sum(entry["event"] == "media fault" for entry in timeline) >= faults:
                    return
                await asyncio.sleep(0.05)

    def bridge(self, phone: Phone) -> Bridge:
        return self.gateway.bridges[phone.guest.leg_id]

    def value(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0

    def _seat(self, guest: Guest, rate: int, bridge: Bridge) -> RoomSeat:
        def access() -> Access:
            named = replace(guest.participant, identity=guest.participant.id)
            return Access(self.livekit.url, access_for(self.livekit, named, datetime.now(UTC))["token"])

        speaks = guest.participant.role is not Role.OBSERVER
        return RoomSeat(direct_events(), access, rate, bridge, speaks=speaks)


def plays(hertz: float, seconds: float = 25.0) -> dict[str, object]:
    """A move of the box's: the person at the phone plays a tone."""
    return {"do": "play", "wav_base64": base64.b64encode(write_wav(tone(hertz, seconds))).decode()}


async def phone_hears(lab: Lab, phone: Phone, hertz: float, *, seconds: float = 10.0, level: float = 0.2) -> None:
    """Wait until the newest half second at the phone has this tone in it."""
    seen: list[str] = []
    until = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < until:
        newest = (await lab.heard(phone.box_id))[-4000:]
        share = strength(newest, hertz)
        seen.append(
            f"{share:.2f} of the strongest, mean {np.abs(newest.astype(float)).mean() if len(newest) else 0:.0f}"
        )
        if len(newest) == 4000 and share > level and np.abs(newest.astype(float)).mean() > 300:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"the phone never heard {hertz} Hz: {seen[-3:]}")


async def phone_hears_nothing(lab: Lab, phone: Phone, seconds: float = 10.0) -> None:
    """Wait until the newest fifth of a second at the phone is silent."""
    until = asyncio.get_running_loop().time() + seconds
    while np.abs((await lab.heard(phone.box_id))[-1600:].astype(float)).mean() > 50:
        assert asyncio.get_running_loop().time() < until, "the phone never heard silence"
        await asyncio.sleep(0.05)


def strength(samples: Samples, hertz: float) -> float:
    if not len(samples):
        return 0.0
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    frequencies = np.fft.rfftfreq(len(samples), 1 / 8000)
    return float(spectrum[np.abs(frequencies - hertz) < 8].max() / max(spectrum.max(), 1e-9))


async def cut(agent: rtc.Room) -> None:
    """What an agent says when it is interrupted."""
    said = json.dumps({"event": "cut"})
    await agent.local_participant.publish_data(said, reliable=True, topic="rymi.agent_audio")
