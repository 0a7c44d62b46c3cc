"""What answers bring about besides words: an end, a human, keys, a wish not to be called again."""

from collections.abc import Callable
from dataclasses import dataclass, field

from rymi_server.runtime.reports import AnyReport, HandoffWanted, OptedOut
from rymi_server.runtime.thinking.replies import EndCall, HandOff, OptOut, PressKeys, Step


@dataclass(slots=True)
class Effects:
    send: Callable[[AnyReport], None]
    press: Callable[[str], None]
    # With its reason and its last words.
    end: Callable[[str, str], None]
    participant_of: Callable[[str], str | None]
    last_words: str
    _opted_out: set[str] = field(default_factory=set)

    def bring_about(self, step: Step) -> None:
        if isinstance(step, EndCall):
            # Its own words for it are a model's, and might be taken for one of ours.
            self.end("end_call_tool", step.farewell or self.last_words)
        elif isinstance(step, HandOff):
            self.send(HandoffWanted(to=step.to, briefing=step.briefing))
        elif isinstance(step, PressKeys):
            self.press(step.keys)
        elif isinstance(step, OptOut):
            self._opt_out(step.identity)

    def _opt_out(self, name: str) -> None:
        """Once, though what they said may be answered again."""
        participant_id = self.participant_of(name)
        if participant_id is not None and participant_id not in self._opted_out:
            self._opted_out.add(participant_id)
            self.send(OptedOut(participant_id=participant_id))
