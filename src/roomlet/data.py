"""Data packets: what a sender may say, in whose name, and to whom. Contents pass through unread."""

from dataclasses import dataclass

from google.protobuf.message import DecodeError
from livekit.protocol import models

RELIABLE, LOSSY, DATA_TRACK = "_reliable", "_lossy", "_data_track"
MOST_QUEUED = 256
"""Reliable messages kept for a participant whose channel is not open yet."""


@dataclass(frozen=True, slots=True)
class Sender:
    sid: str
    identity: str
    is_hidden: bool
    is_agent: bool


def label(kind: models.DataPacket.Kind) -> str:
    return LOSSY if kind == models.DataPacket.LOSSY else RELIABLE


def kind_of(channel: str) -> models.DataPacket.Kind:
    return models.DataPacket.LOSSY if channel == LOSSY else models.DataPacket.RELIABLE


def parse(raw: bytes) -> models.DataPacket | None:
    try:
        return models.DataPacket.FromString(raw)
    except DecodeError:
        return None


def attribute(packet: models.DataPacket, kind: models.DataPacket.Kind, sender: Sender) -> bool:
    """Writes who really sent the packet into it; false if such a sender may not send it at all.

    Agents may speak in another participant's name in text streams and chat, because they transcribe people.
    """
    packet.participant_sid, packet.kind = sender.sid, kind
    name = "" if sender.is_hidden else sender.identity
    what = packet.WhichOneof("value")
    for_another = sender.is_agent and packet.participant_identity not in ("", sender.identity)
    if what is None or what == "metrics" or (what == "transcription" and not sender.is_agent):
        return False
    if what == "user":
        packet.user.participant_sid = "" if sender.is_hidden else sender.sid
        packet.user.participant_identity = name
        if packet.destination_identities:
            packet.user.destination_identities[:] = packet.destination_identities
        else:
            packet.destination_identities.extend(packet.user.destination_identities)
    elif what == "chat_message" and for_another:
        packet.chat_message.generated = True
        return True
    elif what == "stream_header" and for_another and packet.stream_header.HasField("text_header"):
        packet.stream_header.text_header.generated = True
        return True
    packet.participant_identity = name
    return True
