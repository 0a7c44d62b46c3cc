"""The session's loudspeaker: a `Player`, told in the session's words."""

import asyncio
import time

from livekit import rtc
from livekit.agents.voice import io

from rymi_server.runtime.session.media import AGENT_AUDIO_TOPIC, CallMedia
from rymi_server.runtime.speaking.player import RATE, Listener, Player


class VoiceOutput(io.AudioOutput):
    """`player` must have this output's `listener` among those that it tells."""

    def __init__(self) -> None:
        super().__init__(label="call", capabilities=io.AudioOutputCapabilities(pause=True), sample_rate=RATE)
        self.player: Player | None = None

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        self._player.capture(bytes(frame.data))
        # An answer that was made ahead comes all at once: its beginning is played before the rest is looked at.
        await asyncio.sleep(0)

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


class SessionEar(Listener):
    """Tells the session what became of its sound."""

    def __init__(self, output: VoiceOutput) -> None:
        self._output = output

    def began(self, at: float) -> None:
        self._output.on_playback_started(created_at=time.time() + at - time.monotonic())

    def ended(self, at: float, heard_s: float, interrupted: bool) -> None:  # noqa: ARG002 - Keeps the promise.
        self._output.on_playback_finished(playback_position=heard_s, interrupted=interrupted)


class CutSignal(Listener):
    """Lets phone gateways know at once that what they hold of the agent's voice is not to be heard."""

    def __init__(self, media: CallMedia) -> None:
        self._media = media

    def cut(self, at: float) -> None:  # noqa: ARG002 - Keeps the promise.
        self._media.signal(AGENT_AUDIO_TOPIC, {"event": "cut"})


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
