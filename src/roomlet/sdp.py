"""Session descriptions: parsed as far as LiveKit's two negotiation styles need, and the lines both styles write."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
DATA_PORT = 5000
MAX_MESSAGE_BYTES = 65536
MOST_BYTES = 256 * 1024
MOST_SECTIONS = 128
MOST_FORMATS = 128
"""As many as there are payload types."""


class BadDescription(ValueError):
    """The text is no session description, or larger than any client writes."""


@dataclass(slots=True)
class Attributes:
    pairs: list[tuple[str, str]] = field(default_factory=list)

    def get(self, name: str) -> str | None:
        return next((value for key, value in self.pairs if key == name), None)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name]


@dataclass(slots=True)
class Section:
    kind: str
    port: str
    protocol: str
    formats: list[str]
    attributes: Attributes = field(default_factory=Attributes)

    @property
    def mid(self) -> str:
        return self.attributes.get("mid") or ""

    @property
    def is_live(self) -> bool:
        return self.port != "0" or self.attributes.get("bundle-only") is not None

    @property
    def is_media(self) -> bool:
        return self.kind in ("audio", "video")

    @property
    def direction(self) -> str:
        return next((name for name, _ in self.attributes.pairs if name in DIRECTIONS), "sendrecv")

    @property
    def sends(self) -> bool:
        return self.direction in ("sendonly", "sendrecv")

    @property
    def track_id(self) -> str:
        """The second word of `msid`: the client's own id for the track."""
        return (self.attributes.get("msid") or "").split(" ")[-1]

    @property
    def ssrcs(self) -> list[int]:
        found = (_number(value.split(" ")[0], 0xFFFFFFFF) for value in self.attributes.all("ssrc"))
        return list(dict.fromkeys(ssrc for ssrc in found if ssrc is not None))

    @property
    def sctp_port(self) -> int:
        return _number(self.attributes.get("sctp-port") or "", 65535) or DATA_PORT

    def payload_type(self, codec: str) -> str | None:
        formats = set(self.formats)
        for value in self.attributes.all("rtpmap"):
            number, _, rest = value.partition(" ")
            if number in formats and rest.split("/")[0].lower() == codec and _number(number, 127) is not None:
                return number
        return None

    def rtpmap(self, payload_type: str) -> str:
        return next(v.partition(" ")[2] for v in self.attributes.all("rtpmap") if v.partition(" ")[0] == payload_type)

    def format_parameters(self, payload_type: str) -> str:
        values = (v.partition(" ") for v in self.attributes.all("fmtp"))
        return next((rest for number, _, rest in values if number == payload_type), "")

    def accepts_nack(self, payload_type: str) -> bool:
        return f"{payload_type} nack" in self.attributes.all("rtcp-fb")

    def extension_id(self, uri: str) -> int:
        """0 if the extension is not offered."""
        for value in self.attributes.all("extmap"):
            number, _, rest = value.partition(" ")
            if rest.split(" ")[0] == uri:
                return _number(number.split("/")[0], 14) or 0
        return 0


@dataclass(slots=True)
class Description:
    attributes: Attributes
    sections: list[Section]

    def find(self, name: str) -> str | None:
        """The first value of an attribute, at the session or else in any section."""
        return next((value for level in self._levels() if (value := level.get(name)) is not None), None)

    def fingerprints(self) -> list[tuple[str, str]]:
        values = dict.fromkeys(value for level in self._levels() for value in level.all("fingerprint"))
        return [(algorithm, digest) for algorithm, _, digest in (value.partition(" ") for value in values)]

    def application(self) -> Section | None:
        return next((section for section in self.sections if section.kind == "application"), None)

    def _levels(self) -> Iterator[Attributes]:
        yield self.attributes
        for section in self.sections:
            yield section.attributes


def parse(text: str) -> Description:
    """Raises `BadDescription`."""
    if len(text) > MOST_BYTES:
        raise BadDescription("the session description is too large")
    description = Description(Attributes(), [])
    current = description.attributes
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.startswith("m="):
            words = line[2:].split(" ")
            if len(words) < 4 or len(description.sections) >= MOST_SECTIONS:
                raise BadDescription("the session description has a media section that cannot be read")
            if len(words) - 3 > MOST_FORMATS:
                raise BadDescription(f"a media section has more than {MOST_FORMATS} formats")
            description.sections.append(Section(words[0], words[1], words[2], words[3:]))
            current = description.sections[-1].attributes
        elif line.startswith("a="):
            name, _, value = line[2:].partition(":")
            current.pairs.append((name, value))
    if not description.sections:
        raise BadDescription("the session description has no media section")
    mids = [section.mid for section in description.sections]
    if "" in mids or len(set(mids)) != len(mids):
        raise BadDescription("every media section needs a mid of its own")
    return description


def _number(text: str, most: int) -> int | None:
    if text.isascii() and text.isdigit() and len(text) <= 10:
        with contextlib.suppress(ValueError):
            return value if (value := int(text)) <= most else None
    return None


@dataclass(frozen=True, slots=True)
class LocalTransport:
    """The server's own end, as a description tells it."""

    ufrag: str
    password: str
    fingerprint: str
    candidates: tuple[str, ...]

    def lines(self, setup: str, with_candidates: bool) -> list[str]:
        lines = [
            f"a=ice-ufrag:{self.ufrag}",
            f"a=ice-pwd:{self.password}",
            f"a=fingerprint:sha-256 {self.fingerprint}",
            f"a=setup:{setup}",
        ]
        return [*lines, *self.candidates, "a=end-of-candidates"] if with_candidates else lines


def session_lines(version: int, mids: list[str]) -> list[str]:
    return [
        "v=0",
        f"o=- 4611731400430051336 {version} IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE " + " ".join(mids),
        "a=msid-semantic: WMS *",
        "a=ice-lite",
    ]


def section_lines(section: str, mid: str, transport: list[str]) -> list[str]:
    return [f"m={section}", "c=IN IP4 0.0.0.0", f"a=mid:{mid}", *transport]


def data_lines(mid: str, transport: list[str], protocol: str = "UDP/DTLS/SCTP") -> list[str]:
    head = section_lines(f"application 9 {protocol} webrtc-datachannel", mid, transport)
    return [*head, f"a=sctp-port:{DATA_PORT}", f"a=max-message-size:{MAX_MESSAGE_BYTES}"]


def opus_parameters(stereo: bool, dtx: bool) -> str:
    parameters = "minptime=10;useinbandfec=1"
    if dtx:
        parameters += ";usedtx=1"
    if stereo:
        parameters += ";stereo=1;maxaveragebitrate=510000"
    return parameters


def text(lines: list[str]) -> str:
    return "\r\n".join(lines) + "\r\n"
