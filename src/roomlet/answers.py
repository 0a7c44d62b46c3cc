"""The answer to a client's offer, as a pure function of the offer and of what the room assigned to its sections."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from roomlet import sdp
from roomlet.sdp import Description, LocalTransport, Section

CODECS = {"audio": "opus", "video": "vp8"}
NO_PAYLOAD_TYPE = -1


@dataclass(frozen=True, slots=True)
class Incoming:
    """A track the client publishes in a section."""

    disable_red: bool = False
    dtx: bool = True
    stereo: bool = False


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A stream the client is sent in a section."""

    publisher_sid: str
    track_sid: str
    ssrc: int

    def lines(self) -> list[str]:
        """Both SDKs find the publisher in front of the bar of the stream's id."""
        stream = f"a=msid:{self.publisher_sid}|{self.track_sid} {self.track_sid}"
        return ["a=sendonly", stream, f"a=ssrc:{self.ssrc} cname:{self.publisher_sid}"]


@dataclass(frozen=True, slots=True)
class Agreed:
    """How packets of one section look."""

    payload_type: int
    red_payload_type: int
    nack: bool
    level_id: int


@dataclass(slots=True)
class Answer:
    text: str = ""
    track_sids: dict[str, str] = field(default_factory=dict)
    """Which track each sending section carries, by mid."""
    agreed: dict[str, Agreed] = field(default_factory=dict)


def compose(
    offer: Description,
    transport: LocalTransport,
    version: int,
    incoming: Mapping[str, Incoming],
    outgoing: Mapping[str, Outgoing],
) -> Answer:
    """A section without a track is answered `inactive` and never refused: it is needed later."""
    answer = Answer()
    lines = sdp.session_lines(version, [section.mid for section in offer.sections])
    parameters = _opus_parameters(offer, incoming)
    for index, section in enumerate(offer.sections):
        setup = transport.lines("passive", with_candidates=index == 0)
        if section.kind == "application":
            lines += sdp.data_lines(section.mid, setup, section.protocol)
        else:
            payload_type = section.payload_type(CODECS[section.kind]) if section.is_media else None
            if payload_type is None:
                refused = f"{section.kind} 0 {section.protocol} {section.formats[0]}"
                lines += [*sdp.section_lines(refused, section.mid, []), "a=inactive"]
                continue
            into, out = incoming.get(section.mid), outgoing.get(section.mid)
            lines += _media(section, payload_type, setup, parameters, answer, into)
            lines += _direction(section, answer, into, out)
    answer.text = sdp.text(lines)
    return answer


def _opus_parameters(offer: Description, incoming: Mapping[str, Incoming]) -> str:
    """One payload type's parameters must agree over all bundled sections, or clients see a collision."""
    kinds = {section.mid: section.kind for section in offer.sections}
    audio = [track for mid, track in incoming.items() if kinds.get(mid) == "audio"]
    return sdp.opus_parameters(any(t.stereo for t in audio), not audio or any(t.dtx for t in audio))


def _media(
    section: Section,
    payload_type: str,
    setup: list[str],
    parameters: str,
    answer: Answer,
    into: Incoming | None,
) -> list[str]:
    red = _red(section, payload_type) if into is None or not into.disable_red else None
    # The first payload type is the one the client sends.
    order = [payload_type] if red is None else [red, payload_type] if into is not None else [payload_type, red]
    nack = section.kind == "audio" and section.accepts_nack(payload_type)
    level_id = section.extension_id(sdp.AUDIO_LEVEL) if section.kind == "audio" else 0
    answer.agreed[section.mid] = Agreed(int(payload_type), int(red or NO_PAYLOAD_TYPE), nack, level_id)
    lines = sdp.section_lines(f"{section.kind} 9 {section.protocol} {' '.join(order)}", section.mid, setup)
    lines += ["a=rtcp-mux", "a=rtcp-rsize", *(f"a=rtpmap:{number} {section.rtpmap(number)}" for number in order)]
    if section.kind == "video":
        return [*lines, f"a=rtcp-fb:{payload_type} nack pli", f"a=rtcp-fb:{payload_type} ccm fir"]
    if red:
        lines.append(f"a=fmtp:{red} {payload_type}/{payload_type}")
    lines.append(f"a=fmtp:{payload_type} {parameters}")
    if nack:
        lines.append(f"a=rtcp-fb:{payload_type} nack")
    if level_id:
        # Accepted on every section: libwebrtc drops an extension from all later offers once an answer refused it.
        lines.append(f"a=extmap:{level_id} {sdp.AUDIO_LEVEL}")
    return lines


def _red(section: Section, payload_type: str) -> str | None:
    red = section.payload_type("red") if section.kind == "audio" else None
    return red if red and section.format_parameters(red).split("/")[0] == payload_type else None


def _direction(section: Section, answer: Answer, into: Incoming | None, out: Outgoing | None) -> list[str]:
    if into is not None:
        return ["a=recvonly"]
    if out is not None and section.direction == "recvonly":
        answer.track_sids[section.mid] = out.track_sid
        return out.lines()
    return ["a=inactive"]
