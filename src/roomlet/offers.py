"""The server's own offer to clients with two peer connections: data first, then a section for each stream."""

from collections.abc import Sequence
from dataclasses import dataclass

from roomlet import sdp
from roomlet.answers import Outgoing
from roomlet.sdp import LocalTransport

DATA_MID = "0"
AUDIO, RED, VIDEO = 111, 63, 96


@dataclass(slots=True)
class Slot:
    """A section of the offer. It outlives its stream and is used again, since sections can never be removed."""

    kind: str
    mid: str
    stream: Outgoing | None = None


def compose(slots: Sequence[Slot], transport: LocalTransport, version: int) -> str:
    lines = sdp.session_lines(version, [DATA_MID, *(slot.mid for slot in slots)])
    lines += sdp.data_lines(DATA_MID, transport.lines("actpass", with_candidates=True))
    for slot in slots:
        lines += _section(slot, transport.lines("actpass", with_candidates=False))
        lines += slot.stream.lines() if slot.stream is not None else ["a=inactive"]
    return sdp.text(lines)


def _section(slot: Slot, setup: list[str]) -> list[str]:
    if slot.kind == "audio":
        head = sdp.section_lines(f"audio 9 UDP/TLS/RTP/SAVPF {AUDIO} {RED}", slot.mid, setup)
        codec = [
            f"a=rtpmap:{AUDIO} opus/48000/2",
            f"a=fmtp:{AUDIO} {sdp.opus_parameters(stereo=False, dtx=True)}",
            f"a=rtcp-fb:{AUDIO} nack",
            f"a=rtpmap:{RED} red/48000/2",
            f"a=fmtp:{RED} {AUDIO}/{AUDIO}",
        ]
    else:
        head = sdp.section_lines(f"video 9 UDP/TLS/RTP/SAVPF {VIDEO}", slot.mid, setup)
        codec = [f"a=rtpmap:{VIDEO} VP8/90000", f"a=rtcp-fb:{VIDEO} nack pli", f"a=rtcp-fb:{VIDEO} ccm fir"]
    return [*head, "a=rtcp-mux", "a=rtcp-rsize", *codec]
