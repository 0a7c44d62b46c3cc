"""Session descriptions: read, answered and offered, as pure functions."""

import pytest

from roomlet import answers, offers, sdp
from roomlet.answers import Incoming, Outgoing
from roomlet.offers import Slot
from roomlet.sdp import BadDescription, LocalTransport

LOCAL = LocalTransport("ours", "password", "AA:BB", ("a=candidate:1 1 udp 1 127.0.0.1 7882 typ host",))
AUDIO = """m=audio 9 UDP/TLS/RTP/SAVPF 111 63
a=mid:{mid}
a=ice-ufrag:theirs
a=fingerprint:sha-256 CC:DD
a={direction}
a=rtpmap:111 opus/48000/2
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtcp-fb:111 nack
a=extmap:3 urn:ietf:params:rtp-hdrext:ssrc-audio-level
"""
DATA = """m=application 9 UDP/DTLS/SCTP webrtc-datachannel
a=mid:{mid}
a=sctp-port:5001
"""


def offer(*sections: str) -> sdp.Description:
    return sdp.parse("v=0\na=group:BUNDLE 0 1\n" + "".join(sections))


def audio(mid: str, direction: str, extra: str = "") -> str:
    return AUDIO.format(mid=mid, direction=direction) + extra


def compose(
    description: sdp.Description,
    incoming: dict[str, Incoming] | None = None,
    outgoing: dict[str, Outgoing] | None = None,
) -> tuple[answers.Answer, sdp.Description]:
    answer = answers.compose(description, LOCAL, 1, incoming or {}, outgoing or {})
    return answer, sdp.parse(answer.text)


class TestReading:
    def test_a_section_tells_what_it_sends(self) -> None:
        section = offer(audio("0", "sendonly", "a=msid:- mic\na=ssrc:7 cname:x\na=ssrc:7 msid:y\n")).sections[0]
        assert (section.mid, section.sends, section.track_id, section.ssrcs) == ("0", True, "mic", [7])
        assert (section.payload_type("opus"), section.payload_type("red"), section.payload_type("vp8")) == (
            "111",
            "63",
            None,
        )

    def test_attributes_of_the_session_come_before_those_of_sections(self) -> None:
        description = sdp.parse("v=0\na=ice-ufrag:session\n" + audio("0", "sendonly"))
        assert description.find("ice-ufrag") == "session"
        assert description.fingerprints() == [("sha-256", "CC:DD")]

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "hello",
            "m=audio",
            audio("", "sendonly"),
            audio("0", "sendonly") * 2,
            "m=audio 9 x 1\n" * 200,
            "x" * 300_000,
            "m=audio 9 x" + " 7" * 129 + "\na=mid:0\n",
        ],
        ids=[
            "empty",
            "words",
            "short",
            "no mid",
            "one mid twice",
            "too many sections",
            "too large",
            "too many formats",
        ],
    )
    def test_what_no_client_writes_is_refused(self, text: str) -> None:
        with pytest.raises(BadDescription):
            sdp.parse(text)

    def test_every_payload_type_that_there_is_may_be_offered(self) -> None:
        every = [str(number) for number in range(128)]
        video = f"m=video 9 UDP/TLS/RTP/SAVPF {' '.join(every)}\na=mid:0\na=rtpmap:127 VP8/90000\n"
        assert offer(video).sections[0].payload_type("vp8") == "127"

    @pytest.mark.parametrize("number", ["-1", "x", "99999999999999999999", "4294967296", "²"])
    def test_numbers_that_are_none_are_left_out(self, number: str) -> None:
        assert offer(audio("0", "sendonly", f"a=ssrc:{number} cname:x\n")).sections[0].ssrcs == []


class TestAnswering:
    def test_the_server_is_lite_passive_and_tells_its_address_once(self) -> None:
        answer, read = compose(offer(audio("0", "sendonly"), audio("1", "recvonly")))
        assert "a=ice-lite" in answer.text
        assert answer.text.count("a=candidate") == 1
        assert [s.attributes.get("setup") for s in read.sections] == ["passive", "passive"]

    def test_a_published_track_is_received_with_redundancy_first(self) -> None:
        answer, read = compose(offer(audio("0", "sendonly")), incoming={"0": Incoming()})
        assert (read.sections[0].direction, read.sections[0].formats) == ("recvonly", ["63", "111"])
        assert answer.agreed["0"] == answers.Agreed(111, 63, nack=True, level_id=3)

    def test_a_track_that_refuses_redundancy_gets_none(self) -> None:
        answer, read = compose(offer(audio("0", "sendonly")), incoming={"0": Incoming(disable_red=True)})
        assert read.sections[0].formats == ["111"]
        assert answer.agreed["0"].red_payload_type == answers.NO_PAYLOAD_TYPE

    def test_a_subscribed_track_is_sent_under_its_publisher_s_name(self) -> None:
        answer, read = compose(offer(audio("0", "recvonly")), outgoing={"0": Outgoing("PA_x", "TR_y", 99)})
        section = read.sections[0]
        assert (section.direction, section.ssrcs, section.formats) == ("sendonly", [99], ["111", "63"])
        assert section.attributes.get("msid") == "PA_x|TR_y TR_y"
        assert answer.track_sids == {"0": "TR_y"}

    def test_a_section_without_a_track_stays_for_later(self) -> None:
        _, read = compose(offer(audio("0", "recvonly"), audio("1", "sendonly")))
        assert [(s.direction, s.port) for s in read.sections] == [("inactive", "9"), ("inactive", "9")]

    def test_a_codec_we_do_not_pass_is_refused(self) -> None:
        video = "m=video 9 UDP/TLS/RTP/SAVPF 98\na=mid:1\na=rtpmap:98 H264/90000\na=recvonly\n"
        _, read = compose(offer(audio("0", "recvonly"), video))
        assert read.sections[1].port == "0"

    def test_the_level_extension_is_accepted_everywhere(self) -> None:
        """An extension refused once is never offered again by libwebrtc."""
        _, read = compose(offer(audio("0", "recvonly"), audio("1", "sendonly")), incoming={"1": Incoming()})
        assert [s.extension_id(sdp.AUDIO_LEVEL) for s in read.sections] == [3, 3]

    def test_parameters_of_one_payload_type_agree_in_all_sections(self) -> None:
        description = offer(audio("0", "sendonly"), audio("1", "sendonly"), audio("2", "recvonly"))
        _, read = compose(description, incoming={"0": Incoming(dtx=False, stereo=True), "1": Incoming(dtx=False)})
        assert len({s.format_parameters("111") for s in read.sections}) == 1
        assert "stereo=1" in read.sections[2].format_parameters("111")
        assert "usedtx" not in read.sections[2].format_parameters("111")

    def test_data_is_answered_in_its_place(self) -> None:
        _, read = compose(offer(audio("0", "sendonly"), DATA.format(mid="1")))
        assert (read.sections[1].kind, read.sections[1].sctp_port) == ("application", sdp.DATA_PORT)


class TestOffering:
    def test_data_comes_first_and_free_slots_are_kept(self) -> None:
        slots = [Slot("audio", "1", Outgoing("PA_x", "TR_y", 99)), Slot("audio", "2"), Slot("video", "3")]
        read = sdp.parse(offers.compose(slots, LOCAL, 4))
        assert [(s.kind, s.mid) for s in read.sections] == [
            ("application", "0"),
            ("audio", "1"),
            ("audio", "2"),
            ("video", "3"),
        ]
        assert [s.direction for s in read.sections[1:]] == ["sendonly", "inactive", "inactive"]
        assert {s.attributes.get("setup") for s in read.sections} == {"actpass"}
