"""In place of sherpa-onnx, whose models cannot be had without a network. It has what our adapter uses of it."""

import numpy as np
from loudness import recognised


class Stream:
    def __init__(self) -> None:
        self.sound = np.zeros(0, np.float32)
        self.fresh = False

    def accept_waveform(self, rate: int, samples: np.ndarray) -> None:
        assert rate == 16_000
        assert samples.dtype == np.float32
        self.sound = np.concatenate([self.sound, samples])
        self.fresh = True

    def input_finished(self) -> None:
        self.fresh = True


class OnlineRecognizer:
    @classmethod
    def from_transducer(cls, tokens: str, encoder: str, decoder: str, joiner: str, **more: int) -> "OnlineRecognizer":
        for file in (tokens, encoder, decoder, joiner):
            open(file).close()
        return cls()

    def create_stream(self) -> Stream:
        return Stream()

    def is_ready(self, stream: Stream) -> bool:
        return stream.fresh

    def decode_stream(self, stream: Stream) -> None:
        stream.fresh = False

    def get_result(self, stream: Stream) -> str:
        return " " + recognised(stream.sound * 32_768).upper()
