"""Coverage-guided fuzzing of the packet parsers: `make fuzz`. Raising anything but a refusal is a finding."""

import sys

import atheris

with atheris.instrument_imports(include=["roomlet"]):
    from roomlet import answers, data, rtcp, sdp, stun
    from roomlet.errors import Malformed
    from roomlet.joining import unwrap_join_request
    from roomlet.limits import Limits
    from roomlet.rtp import BadPacket, payload_start, red_primary

LIMITS = Limits()
LOCAL = sdp.LocalTransport("ours", "password", "AA:BB", ())
SHORTEST_RTP = 12


def packet(raw: bytes) -> None:
    request = stun.parse_binding_request(raw)
    if request is not None:
        request.is_signed_with(b"password")
    for report in rtcp.parse(raw):
        assert 0 <= report.ssrc <= 0xFFFFFFFF
    data.parse(raw)


def media(raw: bytes) -> None:
    try:
        if len(raw) >= SHORTEST_RTP:
            start, _ = payload_start(raw, 1)
            red_primary(raw[start:])
    except BadPacket:
        return


def description(raw: bytes) -> None:
    text = raw.decode("utf-8", "replace")
    try:
        offer = sdp.parse(text)
        answer = answers.compose(offer, LOCAL, 1, {s.mid: answers.Incoming() for s in offer.sections[::2]}, {})
        sdp.parse(answer.text)
    except sdp.BadDescription:
        return


def join_request(raw: bytes) -> None:
    try:
        unwrap_join_request(raw.decode("latin-1"), LIMITS)
    except Malformed:
        return


def one_input(raw: bytes) -> None:
    """The first byte chooses the parser, so that one corpus serves all."""
    if raw:
        (packet, media, description, join_request)[raw[0] % 4](raw[1:])


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
