"""The session's loudspeaker: a `Player`, told in the session's words."""

import time

from livekit import rtc
from livekit.agents.voice import io

from rymi_server.runtime.speaking.player import RATE, Listener, Player


class VoiceOutput(io.AudioOutput):
    """`player` must have this output's `listener` among those that it tells."""

    def __init__(self) -> None:
        super().__init__(label="call", capabilities=io.AudioOutputCapabilities(pause=True), sample_rate=RATE)
        self.player: Player | None = None

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        self._player.capture(bytes(frame.data))

    def flush(self) -> None:
        super().flush()
        self._player.flush()

    def clear_buffer(self) -> None:
        self._player.clear()

    def pause(self) -> None:
        self._player.pause()

    def resume(self) -> None:
        self._player.resume()

    @property
    def _player(self) -> Player:
        assert self.player is not None, "the output is wired before the session starts"
        return self.player

    # What the player tells.

    def began(self, at: float) -> None:
        self.on_playback_started(created_at=time.time() + at - time.monotonic())

    def ended(self, heard_s: float, interrupted: bool) -> None:
        self.on_playback_finished(playback_position=heard_s, interrupted=interrupted)


class Told(Listener):
    """Tells several listeners, in order."""

    def __init__(self, *listeners: Listener) -> None:
        self._listeners = listeners

    def began(self, at: float) -> None:
        for listener in self._listeners:
            listener.began(at)

    def played(self, at: float, block: bytes) -> None:
        for listener in self._listeners:
            listener.played(at, block)

    def cut(self, at: float) -> None:
        for listener in self._listeners:
            listener.cut(at)

    def ended(self, at: float, heard_s: float, interrupted: bool) -> None:
        for listener in self._listeners:
            listener.ended(at, heard_s, interrupted)
