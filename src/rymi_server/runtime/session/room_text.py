"""What the screens in the room show of what is being said, and how often."""

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from livekit.agents.voice import io

from rymi_server.runtime.hearing.happenings import Utterance
from rymi_server.runtime.session.media import ShownText

_DRAFT_EVERY_S = 1 / 3


@dataclass(slots=True)
class PeoplesText:
    """Drafts at most three times a second and person, every one of an utterance under the same id, the final last."""

    show: Callable[[ShownText], None]
    now: Callable[[], float]
    _shown_at: dict[str, float] = field(default_factory=dict)

    def drafted(self, utterance: Utterance) -> bool:
        """Whether this draft was shown."""
        now = self.now()
        if now - self._shown_at.get(utterance.identity, -1.0) < _DRAFT_EVERY_S:
            return False
        self._shown_at[utterance.identity] = now
        self.show(ShownText(utterance.identity, utterance.segment_id, utterance.text, False, utterance.started_at_ms))
        return True

    def final(self, utterance: Utterance) -> None:
        self._shown_at.pop(utterance.identity, None)
        self.show(ShownText(utterance.identity, utterance.segment_id, utterance.text, True, utterance.started_at_ms))


class AgentText(io.TextOutput):
    """The agent's words in step with its voice. Each text shown is all of the segment so far."""

    def __init__(
        self, show: Callable[[ShownText], None], on_text: Callable[[str, str], None], clock_ms: Callable[[], int]
    ) -> None:
        super().__init__(label="room", next_in_chain=None)
        self._show = show
        self._on_text = on_text
        self._clock_ms = clock_ms
        self._began_at_ms = 0
        self._parts: list[str] = []
        self.segment_id = uuid.uuid4().hex[:12]
        self.last_segment_id = self.segment_id
        self._due: asyncio.TimerHandle | None = None

    @property
    def spoken_segment_id(self) -> str:
        """Of what is being shown, or was shown last: the line of it may come before or after its last word."""
        return self.segment_id if self._parts else self.last_segment_id

    async def capture_text(self, text: str) -> None:
        if not self._parts:
            self._began_at_ms = self._clock_ms()
        self._parts.append(str(text))
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(
                _DRAFT_EVERY_S if len(self._parts) > 1 else 0, self._draft
            )

    def flush(self) -> None:
        self._stop_timer()
        if not self._parts:
            return
        self._show(ShownText(None, self.segment_id, self._text, True, self._began_at_ms))
        self._parts = []
        self.last_segment_id, self.segment_id = self.segment_id, uuid.uuid4().hex[:12]

    @property
    def _text(self) -> str:
        return "".join(self._parts).strip()

    def _draft(self) -> None:
        self._due = None
        self._show(ShownText(None, self.segment_id, self._text, False, self._began_at_ms))
        self._on_text(self.segment_id, self._text)

    def _stop_timer(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
