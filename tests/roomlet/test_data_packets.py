"""Who may say what in whose name over data channels."""

import pytest
from livekit.protocol import models

from roomlet import data
from roomlet.data import Sender

ANN = Sender("PA_ann", "ann", is_hidden=False, is_agent=False)
SPY = Sender("PA_spy", "spy", is_hidden=True, is_agent=False)
BOT = Sender("PA_bot", "bot", is_hidden=False, is_agent=True)
RELIABLE = models.DataPacket.RELIABLE


def user(**fields: object) -> models.DataPacket:
    return models.DataPacket(user=models.UserPacket(payload=b"x"), **fields)  # type: ignore[arg-type]


class TestAttribution:
    def test_a_sender_cannot_pass_for_another(self) -> None:
        packet = user(participant_identity="ben", participant_sid="PA_ben")
        assert data.attribute(packet, RELIABLE, ANN)
        assert (packet.participant_identity, packet.participant_sid) == ("ann", "PA_ann")
        assert (packet.user.participant_identity, packet.user.participant_sid) == ("ann", "PA_ann")

    def test_a_hidden_sender_stays_hidden(self) -> None:
        packet = user()
        assert data.attribute(packet, RELIABLE, SPY)
        assert (packet.participant_identity, packet.user.participant_identity) == ("", "")

    def test_old_and_new_destinations_mean_the_same(self) -> None:
        packet = models.DataPacket(user=models.UserPacket(destination_identities=["ben"]))
        data.attribute(packet, RELIABLE, ANN)
        assert list(packet.destination_identities) == ["ben"]

    @pytest.mark.parametrize(("sender", "allowed"), [(ANN, False), (BOT, True)])
    def test_only_agents_transcribe(self, sender: Sender, allowed: bool) -> None:
        packet = models.DataPacket(transcription=models.Transcription(transcribed_participant_identity="ann"))
        assert data.attribute(packet, RELIABLE, sender) is allowed

    def test_agents_write_in_another_s_name_and_it_shows(self) -> None:
        text = models.DataStream.Header(text_header=models.DataStream.TextHeader())
        packet = models.DataPacket(participant_identity="ann", stream_header=text)
        assert data.attribute(packet, RELIABLE, BOT)
        assert (packet.participant_identity, packet.stream_header.text_header.generated) == ("ann", True)

    def test_agents_send_files_in_their_own_name_only(self) -> None:
        file = models.DataStream.Header(byte_header=models.DataStream.ByteHeader(name="f"))
        packet = models.DataPacket(participant_identity="ann", stream_header=file)
        assert data.attribute(packet, RELIABLE, BOT)
        assert packet.participant_identity == "bot"

    def test_an_empty_packet_goes_nowhere(self) -> None:
        assert not data.attribute(models.DataPacket(), RELIABLE, ANN)

    def test_the_channel_decides_how_it_travels(self) -> None:
        packet = user(kind=RELIABLE)
        data.attribute(packet, data.kind_of(data.LOSSY), ANN)
        assert data.label(packet.kind) == data.LOSSY


def test_bytes_that_are_no_packet_are_none() -> None:
    assert data.parse(b"\xff\xff\xff") is None
