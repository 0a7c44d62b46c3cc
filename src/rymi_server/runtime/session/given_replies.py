"""Which of the answers that were begun was given, and how much of it was heard."""

from dataclasses import dataclass, field

from livekit.agents import llm
from livekit.agents.voice import SpeechHandle

from rymi_server.runtime.session.ledger import HEARD_FROM_S


@dataclass(slots=True)
class Reply:
    """An answer that was begun. Of a guess that was given up, the session never schedules any of it."""

    handle: SpeechHandle
    heard_s: float = 0.0
    # Not by somebody who went on, but by a turn of its own.
    stands: bool = False

    @property
    def was_cut(self) -> bool:
        """Whether it came too early: the person went on before it was heard."""
        return not self.stands and self.handle.done() and self.handle.interrupted and self.heard_s < HEARD_FROM_S


@dataclass(slots=True)
class Replies:
    _begun: list[Reply] = field(default_factory=list)

    @property
    def last_given(self) -> Reply | None:
        """The last answer that was more than a guess."""
        return next((reply for reply in reversed(self._begun) if reply.handle.scheduled), None)

    def begin(self, handle: SpeechHandle) -> None:
        given = self.last_given
        guesses = [reply for reply in self._begun if not reply.handle.done() and reply is not given]
        self._begun = [*([given] if given else []), *guesses, Reply(handle)]

    def forget(self) -> None:
        self._begun.clear()


def join_last_turn(items: list[llm.ChatItem], this: llm.ChatMessage) -> bool:
    """The turn that was answered too early and this one are one; nothing was said in between. Whether there was one."""
    people = [at for at, item in enumerate(items) if isinstance(item, llm.ChatMessage) and item.role == "user"]
    if not people:
        return False
    earlier = items[people[-1]]
    assert isinstance(earlier, llm.ChatMessage)
    this.content = [f"{earlier.text_content or ''} {this.text_content or ''}".strip()]
    del items[people[-1] :]
    return True
