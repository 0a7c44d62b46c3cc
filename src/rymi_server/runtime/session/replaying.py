"""Plays to `AgentSession` what the hub found, in the shape of one detector and one recogniser that hear one person."""

from dataclasses import dataclass, field
from typing import Any

from livekit import rtc
from livekit.agents import (
    DEFAULT_API_CONNECT_OPTIONS,
    NOT_GIVEN,
    APIConnectOptions,
    LanguageCode,
    NotGivenOr,
    stt,
    utils,
    vad,
)
from livekit.agents.voice import io

from rymi_server.runtime.hearing.happenings import (
    DraftHeard,
    FloorClosed,
    FloorOpened,
    GuessHeard,
    Happening,
    StillSpeaking,
    Utterance,
    WordsHeard,
)
from rymi_server.runtime.recording.recorder import RATE, TICK

_Detected = utils.aio.Chan[vad.VADEvent]
_Recognised = utils.aio.Chan[stt.SpeechEvent]
_TICKS_A_FRAME = 25
_SILENCE = bytes(2 * TICK * _TICKS_A_FRAME)


@dataclass(slots=True)
class Replay:
    """One for a call. Sessions subscribe through `GroupVAD` and `GroupSTT`."""

    language: str
    detectors: set[_Detected] = field(default_factory=set)
    recognisers: set[_Recognised] = field(default_factory=set)
    _guessed: bool = False

    def play(self, happening: Happening) -> None:
        if isinstance(happening, FloorOpened):
            self._detect(vad.VADEventType.START_OF_SPEECH, speech_s=happening.spoken_ms / 1_000, speaking=True)
            # At once, so that the agent is paused at once.
            self._detect(vad.VADEventType.INFERENCE_DONE, speech_s=happening.spoken_ms / 1_000, speaking=True)
        elif isinstance(happening, StillSpeaking):
            self._detect(vad.VADEventType.INFERENCE_DONE, speech_s=happening.spoken_ms / 1_000, speaking=True)
        elif isinstance(happening, FloorClosed):
            self._guessed = False
            self._detect(vad.VADEventType.END_OF_SPEECH, silence_s=happening.silence_ms / 1_000)
        elif isinstance(happening, GuessHeard):
            self._guessed = True
            self._recognise(stt.SpeechEventType.PREFLIGHT_TRANSCRIPT, happening.utterance)
        elif isinstance(happening, DraftHeard) and self._guessed:
            # Only of use to take a guess back that has become wrong.
            self._recognise(stt.SpeechEventType.INTERIM_TRANSCRIPT, happening.utterance)
        elif isinstance(happening, WordsHeard) and happening.counts:
            self._recognise(stt.SpeechEventType.FINAL_TRANSCRIPT, happening.utterance)

    def _detect(
        self, kind: vad.VADEventType, *, speech_s: float = 0.0, silence_s: float = 0.0, speaking: bool = False
    ) -> None:
        event = vad.VADEvent(
            type=kind,
            samples_index=0,
            timestamp=0.0,
            # Zero would mean an interruption that never ends.
            speech_duration=max(0.03, speech_s) if speaking else 0.0,
            silence_duration=silence_s,
            speaking=speaking,
            probability=1.0,
            raw_accumulated_speech=speech_s if speaking else 0.0,
            raw_accumulated_silence=0.0 if speaking else max(1.0, silence_s),
        )
        for channel in list(self.detectors):
            channel.send_nowait(event)

    def _recognise(self, kind: stt.SpeechEventType, utterance: Utterance) -> None:
        data = stt.SpeechData(
            language=LanguageCode(self.language),
            text=utterance.labelled,
            confidence=1.0 if utterance.confidence is None else utterance.confidence,
            speaker_id=utterance.identity,
        )
        for channel in list(self.recognisers):
            channel.send_nowait(stt.SpeechEvent(type=kind, alternatives=[data]))


class GroupVAD(vad.VAD):
    def __init__(self, replay: Replay) -> None:
        super().__init__(capabilities=vad.VADCapabilities(update_interval=0.1))
        self.replay = replay

    @property
    def model(self) -> str:
        return "hub"

    @property
    def provider(self) -> str:
        return "rymi"

    def stream(self) -> "GroupVADStream":
        return GroupVADStream(self)


class GroupVADStream(vad.VADStream):
    def __init__(self, group: GroupVAD) -> None:
        super().__init__(group)
        self._replay = group.replay

    async def _main_task(self) -> None:
        self._replay.detectors.add(self._event_ch)
        try:
            async for _ in self._input_ch:
                pass  # What is heard reaches the hub by other ways; here it only keeps time.
        finally:
            self._replay.detectors.discard(self._event_ch)


class GroupSTT(stt.STT[Any]):
    def __init__(self, replay: Replay) -> None:
        super().__init__(
            capabilities=stt.STTCapabilities(
                streaming=True, interim_results=True, diarization=True, offline_recognize=False
            )
        )
        self.replay = replay

    @property
    def model(self) -> str:
        return "hub"

    @property
    def provider(self) -> str:
        return "rymi"

    async def _recognize_impl(
        self,
        buffer: utils.AudioBuffer,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> stt.SpeechEvent:
        raise NotImplementedError("the hub hears people, not recordings")

    def stream(
        self,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,  # noqa: ARG002 - The signature is the library's.
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> "GroupSTTStream":
        return GroupSTTStream(self, conn_options)


class GroupSTTStream(stt.RecognizeStream):
    def __init__(self, group: GroupSTT, conn_options: APIConnectOptions) -> None:
        super().__init__(stt=group, conn_options=conn_options)
        self._replay = group.replay

    async def _run(self) -> None:
        self._replay.recognisers.add(self._event_ch)
        try:
            async for _ in self._input_ch:
                pass
        finally:
            self._replay.recognisers.discard(self._event_ch)


class TickInput(io.AudioInput):
    """What the session takes for its microphone. It only keeps time by it, so silence in large frames does."""

    def __init__(self) -> None:
        super().__init__(label="people")
        self._frames: utils.aio.Chan[rtc.AudioFrame] = utils.aio.Chan()
        self._ticks = 0

    def tick(self) -> None:
        """20 ms have passed."""
        self._ticks += 1
        if self._ticks % _TICKS_A_FRAME == 0:
            self._frames.send_nowait(rtc.AudioFrame(_SILENCE, RATE, 1, TICK * _TICKS_A_FRAME))

    async def __anext__(self) -> rtc.AudioFrame:
        return await self._frames.__anext__()

    def close(self) -> None:
        self._frames.close()
