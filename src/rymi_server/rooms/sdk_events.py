"""Takes audio past the SDK's event queue, which tells every event to everybody who waits for any.

With twenty phones in a process that would be tens of thousands of wake-ups a second. Here a frame goes straight to
the ear it is for, a room's events to that room, and the receipts of frames that we sent to nobody. It stands in for
the SDK's queue for the whole process, and everything else passes through it as before.
"""

import asyncio
import ctypes
from collections.abc import Callable
from itertools import count
from typing import Any

from livekit import rtc
from livekit.rtc._ffi_client import FfiClient, FfiHandle, FfiQueue, ffi_event_callback
from livekit.rtc._proto import audio_frame_pb2, ffi_pb2

# Receipts of our own frames carry numbers from here up; the SDK counts from one.
_OURS = 1 << 48
_SAMPLE_BYTES = 2

# Called with 16-bit samples, on a thread of the SDK's.
HearFrame = Callable[[bytes], None]


class DirectedEvents(FfiQueue[Any]):
    """The SDK's queue, with audio and room events taken out of the crowd."""

    def __init__(self) -> None:
        super().__init__()
        self._ears: dict[int, HearFrame] = {}
        self._rooms: dict[int, tuple[asyncio.AbstractEventLoop, Any]] = {}
        self.frames_refused = 0

    def put(self, item: Any) -> None:
        match item.WhichOneof("message"):
            case "audio_stream_event":
                self._audio(item)
            case "capture_audio_frame" if item.capture_audio_frame.async_id >= _OURS:
                self.frames_refused += bool(item.capture_audio_frame.error)
            case "room_event":
                self._of_room(item)
            case _:
                super().put(item)

    def direct_room(self, room: rtc.Room, loop: asyncio.AbstractEventLoop) -> Callable[[], None]:
        """Tell this room's events to it alone, until what is returned is called."""
        assert room._ffi_handle is not None
        handle = room._ffi_handle.handle
        self._rooms[handle] = (loop, room._ffi_queue)
        return lambda: self._rooms.pop(handle, None) and None

    def listen(self, track: rtc.Track, rate: int, frame_ms: int, hear: HearFrame) -> Callable[[], None]:
        """Have a remote track's audio told to `hear`, until what is returned is called."""
        request = ffi_pb2.FfiRequest()
        wanted = request.new_audio_stream
        wanted.track_handle = track._ffi_handle.handle
        wanted.sample_rate, wanted.num_channels, wanted.frame_size_ms = rate, 1, frame_ms
        wanted.queue_size_frames = 0
        wanted.type = audio_frame_pb2.AudioStreamType.AUDIO_STREAM_NATIVE
        handle = FfiHandle(FfiClient.instance.request(request).new_audio_stream.stream.handle.id)
        self._ears[handle.handle] = hear

        def stop() -> None:
            # It stays on record: what is still on its way to a closed ear belongs to nobody else either.
            self._ears[handle.handle] = _nobody
            handle.dispose()

        return stop

    def _audio(self, item: Any) -> None:
        event = item.audio_stream_event
        hear = self._ears.get(event.stream_handle)
        if hear is None:
            super().put(item)
        elif event.HasField("frame_received"):
            frame = event.frame_received.frame
            size = frame.info.samples_per_channel * frame.info.num_channels * _SAMPLE_BYTES
            pcm = ctypes.string_at(frame.info.data_ptr, size)
            FfiHandle(frame.handle.id).dispose()
            hear(pcm)
        else:
            self._ears.pop(event.stream_handle, None)

    def _of_room(self, item: Any) -> None:
        directed = self._rooms.get(item.room_event.room_handle)
        if directed is None:
            super().put(item)
            return
        loop, queue = directed
        loop.call_soon_threadsafe(queue.put_nowait, item)


class FrameSender:
    """Hands frames to a source, without waiting for its receipts."""

    _numbers = count(_OURS)

    def __init__(self, source: rtc.AudioSource) -> None:
        self._source = source
        self._request = ffi_pb2.FfiRequest()
        self._frame = self._request.capture_audio_frame
        self._frame.source_handle = source._ffi_handle.handle
        self._frame.buffer.num_channels = source.num_channels
        self._frame.buffer.sample_rate = source.sample_rate

    def send(self, pcm: bytes) -> None:
        # The SDK copies the samples before it answers.
        held = ctypes.create_string_buffer(pcm, len(pcm))
        self._frame.buffer.data_ptr = ctypes.addressof(held)
        self._frame.buffer.samples_per_channel = len(pcm) // _SAMPLE_BYTES
        self._frame.request_async_id = next(self._numbers)
        FfiClient.instance.request(self._request)


def direct_events() -> DirectedEvents:
    """The process's queue, put in place where it is not; whoever waits at the SDK's own waits at this one then."""
    client = FfiClient.instance
    if not isinstance(client._queue, DirectedEvents):
        directed = DirectedEvents()
        directed._subscribers = client._queue._subscribers
        client._queue = directed
        _keep_logs_native(client)
    return client._queue


def _keep_logs_native(client: FfiClient) -> None:
    """Have the SDK write what its native part logs by itself, errors only unless `RUST_LOG` says otherwise.

    It would hand over every line of WebRTC's own, some 1,500 a second for a phone, for Python to leave out: a fifth of
    what a phone costs.
    """
    version = rtc.__version__.encode("ascii")
    client._ffi_lib.livekit_ffi_initialize(ffi_event_callback, False, b"python", version)


def _nobody(_: bytes) -> None:
    """An ear that has been closed."""
