"""Which judge of a single frame is there to be had: loaded once in a process, when it is first asked for."""

import importlib
import importlib.util
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from rymi_server.runtime.turn_taking.pcm_score import PcmScore

RATE: Final = 16_000
_FRAME_SECONDS: Final = 0.02
_WEBRTC_MODE: Final = 2
_SILERO_FILES: Final = (
    ("livekit.plugins", "silero/resources/silero_vad.onnx"),
    ("silero_vad", "data/silero_vad.onnx"),
    ("pipecat", "audio/vad/data/silero_vad.onnx"),
)
_SILERO_SAMPLES: Final = 512
_SILERO_BEFORE: Final = 64


class Score(Protocol):
    def push(self, frame: bytes) -> float:
        """How likely these 20 ms of 16 kHz are speech: 0 to 1."""
        ...


class ScoreMissing(Exception):
    """This judge cannot be had on this machine."""


# Makes one speaker's score.
Make = Callable[[], Score]
# Loads what all speakers of the process share. Raise `ScoreMissing`.
Load = Callable[[], Make]


class Always:
    """Every frame may be speech: the level alone decides."""

    def push(self, frame: bytes) -> float:  # noqa: ARG002 - keeps the promise of `Score`
        return 1.0


class WebrtcScore:
    def __init__(self, vad: Any) -> None:
        self._vad = vad

    def push(self, frame: bytes) -> float:
        return 1.0 if self._vad.is_speech(frame, RATE) else 0.0


class PocketsphinxScore:
    """The same detector as `WebrtcScore`, as it is built into pocketsphinx."""

    def __init__(self, vad: Any) -> None:
        self._vad = vad

    def push(self, frame: bytes) -> float:
        return 1.0 if self._vad.is_speech(frame) else 0.0


class SileroScore:
    """The session is shared. The state, the samples before a window and those left of a frame are the speaker's."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._state: NDArray[np.float32] = np.zeros((2, 1, 128), np.float32)
        self._window: NDArray[np.float32] = np.zeros((1, _SILERO_BEFORE + _SILERO_SAMPLES), np.float32)
        self._waiting: NDArray[np.float32] = np.zeros(0, np.float32)
        self._rate = np.array(RATE, np.int64)
        self._probability = 0.0

    def push(self, frame: bytes) -> float:
        samples = np.frombuffer(frame, np.int16).astype(np.float32) / 32768
        self._waiting = np.concatenate([self._waiting, samples])
        while len(self._waiting) >= _SILERO_SAMPLES:
            self._window[:, :_SILERO_BEFORE] = self._window[:, -_SILERO_BEFORE:]
            self._window[:, _SILERO_BEFORE:] = self._waiting[:_SILERO_SAMPLES]
            self._waiting = self._waiting[_SILERO_SAMPLES:]
            given = {"input": self._window, "state": self._state, "sr": self._rate}
            probability, self._state = self._session.run(None, given)
            self._probability = float(probability[0, 0])
        return self._probability


class Scores:
    """What this process can judge frames with. What failed to load is not tried again."""

    def __init__(self, loads: Mapping[str, Load]) -> None:
        self._loads = loads
        self._made: dict[str, Make] = {}
        self.missing: dict[str, str] = {}

    def first_of(self, names: Iterable[str]) -> tuple[str, Score]:
        """The first that can be had, and a fresh score of it for one speaker."""
        for name in names:
            if self._load(name):
                return name, self._made[name]()
        raise ScoreMissing("; ".join(f"{name}: {why}" for name, why in self.missing.items()))

    def warm(self, names: Iterable[str]) -> None:
        """Load these now, so that the first call does not wait for it."""
        for name in names:
            self._load(name)

    def _load(self, name: str) -> bool:
        if name not in self._made and name not in self.missing:
            try:
                self._made[name] = self._loads[name]()
            except ScoreMissing as missing:
                self.missing[name] = str(missing)
        return name in self._made


def installed_scores(silero_file: Path | None = None) -> Scores:
    """All that may be on a machine. `silero_file` is looked at before the usual places."""
    return Scores(
        {
            "rms": lambda: Always,
            "webrtc": load_webrtc,
            "pocketsphinx": load_pocketsphinx,
            "pcm": lambda: PcmScore,
            "silero": lambda: load_silero(silero_file),
        }
    )


def load_webrtc() -> Make:
    module = _module("webrtcvad")
    return lambda: WebrtcScore(module.Vad(_WEBRTC_MODE))


def load_pocketsphinx() -> Make:
    module = _module("pocketsphinx")
    return lambda: PocketsphinxScore(module.Vad(mode=_WEBRTC_MODE, sample_rate=RATE, frame_length=_FRAME_SECONDS))


def load_silero(given: Path | None = None) -> Make:
    runtime = _module("onnxruntime")
    file = given if given is not None else _silero_file()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    failures = importlib.import_module("onnxruntime.capi.onnxruntime_pybind11_state")
    broken = (
        failures.Fail,
        failures.NoSuchFile,
        failures.InvalidProtobuf,
        failures.InvalidGraph,
        failures.InvalidArgument,
    )
    try:
        session = runtime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        # The first run is slow, and shows whether this is the network that we know.
        SileroScore(session).push(bytes(2 * _SILERO_SAMPLES))
    except (*broken, OSError, ValueError, TypeError) as error:
        raise ScoreMissing(f"{file} cannot be used: {error}") from error
    return lambda: SileroScore(session)


def _silero_file() -> Path:
    """Found without importing its package: some of them bring a whole framework with them."""
    for package, inside in _SILERO_FILES:
        for folder in _folders(package):
            if (found := Path(folder) / inside).is_file():
                return found
    raise ScoreMissing("silero_vad.onnx is not installed; livekit-plugins-silero brings it")


def _folders(package: str) -> list[str]:
    try:
        spec = importlib.util.find_spec(package)
    except ModuleNotFoundError:
        return []
    return list(spec.submodule_search_locations or []) if spec else []


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:
        raise ScoreMissing(f"{name} is not installed: {error}") from error
