"""The session's loudspeaker."""

from livekit import rtc
from tests.unit.runtime.test_player import Stage, stage

from rymi_server.runtime.session.voice_output import VoiceOutput
from rymi_server.runtime.speaking.player import RATE

__all__ = ["stage"]


class TestAnAnswerThatWasMadeAhead:
    async def test_begins_to_be_played_before_all_of_it_was_looked_at(self, stage: Stage) -> None:
        output = VoiceOutput()
        output.player = stage.player
        captured = 0
        while not stage.line.blocks:
            await output.capture_frame(rtc.AudioFrame(b"\1\1" * (RATE // 5), RATE, 1, RATE // 5))
            captured += 1
            assert captured <= 2
