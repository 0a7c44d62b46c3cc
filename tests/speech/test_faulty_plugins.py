"""Plugins of providers that raise what no plugin should."""

from typing import Any

import pytest
from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, APIConnectOptions, NotGivenOr, stt, utils
from tests.roomlet.waiting import within
from tests.speech.ear_promise import VOCABULARY
from tests.speech.sounding import push, said

from rymi_server.runtime.session.providers.batch_ear import BatchEar
from rymi_server.runtime.session.providers.streaming_ear import StreamingEar
from rymi_server.speech_engines.errors import EngineFailed
from rymi_server.speech_engines.promises import Ear, Listeners


class Faulty(stt.STT[Any]):
    """An answer of its provider is not what it takes it for."""

    def __init__(self, *, streams: bool, is_example: bool = False) -> None:
        self.is_example = is_example
        super().__init__(capabilities=stt.STTCapabilities(streaming=streams, interim_results=streams))

    async def _recognize_impl(
        self,
        buffer: utils.AudioBuffer,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> stt.SpeechEvent:
        raise KeyError("alternatives")

    def stream(
        self,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> stt.RecognizeStream:
        return FaultyStream(stt=self, conn_options=conn_options)

    async def aclose(self) -> None:
        if self.is_example:
            raise AttributeError("session")


class FaultyStream(stt.RecognizeStream):
    async def _run(self) -> None:
        async for _ in self._input_ch:
            raise KeyError("alternatives")


class TestAPluginAtFault:
    @pytest.mark.parametrize(
        "ear",
        [
            StreamingEar("faulty", Faulty(streams=True, is_example=True), lambda _: Faulty(streams=True)),
            BatchEar("faulty", Faulty(streams=False, is_example=True), lambda _: Faulty(streams=False)),
        ],
        ids=["streaming", "batch"],
    )
    async def test_is_an_engine_that_has_failed(self, ear: Ear) -> None:
        stream = await ear.listen(VOCABULARY, Listeners())
        push(stream, said("yes"))
        with pytest.raises(EngineFailed, match="alternatives"):
            await within("it has answered", stream.finish_utterance(), 10)
        await stream.aclose()
        with pytest.raises(EngineFailed, match="session"):
            await ear.aclose()
