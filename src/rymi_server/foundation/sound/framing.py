"""Cuts a stream of bytes into frames of one length, whatever pieces it comes in."""


class Framer:
    def __init__(self, frame_bytes: int) -> None:
        if frame_bytes <= 0:
            raise ValueError("a frame has a length")
        self._frame_bytes = frame_bytes
        self._rest = bytearray()

    def push(self, data: bytes) -> list[bytes]:
        """The frames that are full by now."""
        self._rest += data
        size = self._frame_bytes
        full = len(self._rest) // size * size
        frames = [bytes(self._rest[at : at + size]) for at in range(0, full, size)]
        del self._rest[:full]
        return frames

    def flush(self, padding: bytes = b"\0") -> bytes | None:
        """What is left, made a full frame with `padding`; None where nothing is left."""
        if not self._rest:
            return None
        missing = self._frame_bytes - len(self._rest)
        frame = bytes(self._rest) + (padding * missing)[:missing]
        self._rest.clear()
        return frame

    def clear(self) -> None:
        self._rest.clear()
