"""Takes audio past the SDK's event queue, which tells every event to everybody who waits for any.

With twenty phones in a process that would be tens of thousands of wake-ups a second. Here a frame goes straight to
the ear it is for, a room's events to that room, and the receipts of frames that we sent to nobody. It stands in for
the SDK's queue for the whole process, and everything else passes through it as before.

What is said fifty times a second for each phone is not put together and taken apart each time: a frame that is sent
differs from the one before in its samples only, and its receipt does not differ at all.
"""

import asyncio
import ctypes
import os
from collections.abc import Callable
from typing import Any

from livekit import rtc
from livekit.rtc._ffi_client import INVALID_HANDLE, FfiClient, FfiHandle, FfiQueue, ffi_cb_fnc, ffi_event_callback
from livekit.rtc._proto import audio_frame_pb2, ffi_pb2

# Receipts of our own frames carry this number; the SDK counts from one.
_OURS = 1 << 48
_SAMPLE_BYTES = 2
_LOGGED = "error,livekit::rtc_engine::rtc_session=off"

# Called with 16-bit samples, on a thread of the SDK's.
HearFrame = Callable[[bytes], None]


class DirectedEvents(FfiQueue[Any]):
    """The SDK's queue, with audio and room events taken out of the crowd."""

    def __init__(self) -> None:
        super().__init__()
        self._ears: dict[int, HearFrame] = {}
        self._rooms: dict[int, tuple[asyncio.AbstractEventLoop, Any]] = {}
        self.frames_refused = 0
        self.callback: Any = None

    def put(self, item: Any) -> None:
        match item.WhichOneof("message"):
            case "audio_stream_event":
                self._audio(item)
            case "capture_audio_frame" if item.capture_audio_frame.async_id == _OURS:
                # One that was taken is known by its looks, before it is read.
                self.frames_refused += 1
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
            FfiClient.instance._ffi_lib.livekit_ffi_drop_handle(frame.handle.id)
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
    """Hands frames to a source, without waiting for its receipts. Used from one thread.

    As long as frames are of one length, each is the request before it with other samples.
    """

    def __init__(self, source: rtc.AudioSource) -> None:
        self._source = source
        self._lib = FfiClient.instance._ffi_lib
        self._answer = (ctypes.POINTER(ctypes.c_ubyte)(), ctypes.c_size_t())
        self._where = tuple(ctypes.byref(each) for each in self._answer)
        self._frame_for(0)

    def send(self, pcm: bytes) -> None:
        if len(pcm) != self._bytes:
            self._frame_for(len(pcm))
        # The SDK copies the samples before it answers.
        ctypes.memmove(self._held, pcm, self._bytes)
        answer = self._lib.livekit_ffi_request(self._request, len(self._request), *self._where)
        assert answer != INVALID_HANDLE
        self._lib.livekit_ffi_drop_handle(answer)

    def _frame_for(self, length: int) -> None:
        self._bytes, self._held = length, ctypes.create_string_buffer(max(1, length))
        request = ffi_pb2.FfiRequest()
        frame = request.capture_audio_frame
        frame.source_handle = self._source._ffi_handle.handle
        frame.buffer.num_channels = self._source.num_channels
        frame.buffer.sample_rate = self._source.sample_rate
        frame.buffer.samples_per_channel = length // _SAMPLE_BYTES // self._source.num_channels
        frame.buffer.data_ptr = ctypes.addressof(self._held)
        frame.request_async_id = _OURS
        said = request.SerializeToString()
        self._request = (ctypes.c_ubyte * len(said)).from_buffer_copy(said)


def direct_events() -> DirectedEvents:
    """The process's queue, put in place where it is not; whoever waits at the SDK's own waits at this one then."""
    # The native part reads it once, when it is first asked for.
    os.environ.setdefault("RUST_LOG", _LOGGED)
    client = FfiClient.instance
    if not isinstance(client._queue, DirectedEvents):
        directed = DirectedEvents()
        directed._subscribers = client._queue._subscribers
        client._queue = directed
        # The native part keeps no reference that Python knows of.
        directed.callback = _taken_up_by(directed)
        _listen_natively(client, directed.callback)
    return client._queue


def _taken_up_by(directed: DirectedEvents) -> Any:
    """What the SDK's native part calls with each event, on threads of its own."""
    receipt = ffi_pb2.FfiEvent()
    receipt.capture_audio_frame.async_id = _OURS
    taken = receipt.SerializeToString()

    def happened(at: Any, length: int) -> None:
        said = ctypes.string_at(at, length)
        if said == taken:
            return
        event = ffi_pb2.FfiEvent.FromString(said)
        if event.HasField("audio_stream_event"):
            directed.put(event)
        else:
            ffi_event_callback(at, length)

    return ffi_cb_fnc(happened)


def _listen_natively(client: FfiClient, callback: Any) -> None:
    """Have the SDK tell `callback`, and write what its native part logs by itself, errors only unless `RUST_LOG` says
    otherwise, and not that its channels close, which it takes for an error at the end of each call.

    It would hand over every line of WebRTC's own, some 1,500 a second for a phone, for Python to leave out: a fifth of
    what a phone costs.
    """
    version = rtc.__version__.encode("ascii")
    client._ffi_lib.livekit_ffi_initialize(callback, False, b"python", version)


def _nobody(_: bytes) -> None:
    """An ear that has been closed."""
