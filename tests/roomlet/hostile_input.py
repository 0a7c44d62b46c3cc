"""What hostile bytes are made of: noise, and good packets bent a little."""

from hypothesis import strategies as st

NOISE = st.binary(max_size=1500)


def bent(good: bytes) -> st.SearchStrategy[bytes]:
    """A packet that was good before some of its bytes were changed, its end cut off, or noise added."""

    def bend(changes: list[tuple[int, int]], cut: int, tail: bytes) -> bytes:
        packet = bytearray(good)
        for position, value in changes:
            if packet:
                packet[position % len(packet)] = value
        return bytes(packet[: len(packet) - cut % (len(packet) + 1)]) + tail

    change = st.tuples(st.integers(0, 4095), st.integers(0, 255))
    return st.builds(bend, st.lists(change, max_size=8), st.integers(0, 40), st.binary(max_size=40))


LINES = st.one_of(
    st.sampled_from(
        [
            "m=audio 9 UDP/TLS/RTP/SAVPF 111 63",
            "m=audio 0 UDP/TLS/RTP/SAVPF 111",
            "m=video 9 UDP/TLS/RTP/SAVPF 96",
            "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
            "m=text 9 RTP 1",
            "a=sendonly",
            "a=recvonly",
            "a=inactive",
            "a=rtpmap:111 opus/48000/2",
            "a=rtpmap:63 red/48000/2",
            "a=rtpmap:63",
            "a=rtpmap:96 VP8/90000",
            "a=rtpmap:111 /",
            "a=fmtp:63 111/111",
            "a=rtcp-fb:111 nack",
            "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            "a=extmap:x/y urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            "a=ssrc:1 cname:x",
            "a=ssrc:4294967296 cname:x",
            "a=ssrc:",
            "a=msid:- mic",
            "a=msid:mic",
            "a=ice-ufrag:x",
            "a=fingerprint:sha-256 AA",
            "a=sctp-port:x",
            "a=bundle-only",
        ]
    ),
    st.builds(lambda mid: f"a=mid:{mid}", st.sampled_from(["0", "1", "2", "x", ""])),
    st.text(max_size=60),
)
DESCRIPTIONS = st.lists(LINES, max_size=40).map("\r\n".join)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
