"""What a turn may do: say something, give an answer of the playbook, get a human, end. Rules decide which."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from rymi_server.runtime.thinking import wording
from rymi_server.runtime.thinking.asking import CALLBACK_SLOT, Asker
from rymi_server.runtime.thinking.filling import Filler
from rymi_server.runtime.thinking.guardrails import Guardrails
from rymi_server.runtime.thinking.matching import PERHAPS, Match, Matcher, verdict
from rymi_server.runtime.thinking.memory import Memory
from rymi_server.runtime.thinking.playbook import Entry, Playbook
from rymi_server.runtime.thinking.replies import EndCall, HandOff, Step, UseTool

_FACT_BEHIND = 0.15


@dataclass(slots=True)
class Answer:
    """What is said and done in one turn, in order."""

    says: list[str] = field(default_factory=list)
    does: list[Step] = field(default_factory=list)
    # What has to be asked of a tool before something is said.
    looks_up: dict[str, UseTool] = field(default_factory=dict)
    # Whether the conversation's next question follows.
    asks: bool = True

    def say(self, text: str) -> bool:
        if text and text not in self.says:
            self.says.append(text)
        return True


@dataclass(frozen=True, slots=True)
class Situation:
    """What holds for a whole call, and who is in it."""

    playbook: Playbook
    matcher: Matcher
    now: Callable[[], datetime]
    can_hand_off: bool = False
    hand_off_to: str | None = None
    caller_phone: str | None = None
    # How many people are in the call, where that is known.
    present: Callable[[], int] | None = None
    guardrails: Guardrails = field(default_factory=Guardrails)


class Moves:
    def __init__(self, situation: Situation, memory: Memory) -> None:
        self.situation = situation
        self.playbook = situation.playbook
        self.memory = memory
        self.filler = Filler(situation.playbook, memory, situation.now)
        self.asker = Asker(situation.playbook, memory)
        self.answer = Answer()
        self.speaker = ""

    def get_a_human(self, text: str) -> bool:
        if self.situation.can_hand_off:
            self.memory.handed_over = True
            self.answer.asks = False
            self.answer.say(wording.CONNECTING)
            self.answer.does.append(HandOff(self._briefing(text), self.situation.hand_off_to))
            return True
        number = self.filler.value("phone") or self.situation.caller_phone
        if number or CALLBACK_SLOT.name in self.memory.slots:
            self.memory.callback = "promised"
            return self.answer.say(wording.CALLBACK_PROMISED)
        self.memory.callback = "wanted"
        self.filler.fill_unasked(text)
        return True

    def find(self, text: str) -> Match:
        """A fact stands back where an entry that was written as an answer fits as well."""
        scored = self.situation.matcher.scores(text)
        written = [each for each in scored if not each.key.startswith("fact:")]
        if written and written[0].score >= PERHAPS:
            scored = [s for s in scored if not s.key.startswith("fact:") or s.score > written[0].score + _FACT_BEHIND]
        return verdict(scored)

    def entry_for_question(self, text: str) -> Entry | None:
        found = self.find(text)
        return self.playbook.entry(found.best.key) if found.best and found.sure else None

    def give(self, entry: Entry) -> bool:
        self.memory.answered += 1
        for name, value in entry.fills.items():
            self.filler.put(name, value)
            self.memory.declined = False
        answer = self.asker.written(entry.answer)
        if entry.tool:
            self.answer.looks_up[answer] = UseTool(entry.tool, self.filler.values())
        self.answer.say(answer)
        if entry.then == "end":
            self.end("completed", self.playbook.farewell)
        elif entry.then == "human":
            self.get_a_human(entry.answer)
        elif entry.then == "wrap_up":
            self.memory.declined = True
        return True

    def is_last(self) -> bool:
        known = len(set(self.memory.people) - set(self.memory.gone) - {self.speaker}) + 1
        present = self.situation.present() if self.situation.present else known
        return max(known, present) <= 1

    def took(self, echoes: list[str]) -> bool:
        """What was understood, and what of it is not possible."""
        if echoes or not self.filler.problem:
            self.answer.say(wording.took(list(dict.fromkeys(echoes)), self.memory.turn))
        return self.answer.say(self.filler.problem)

    def went_on(self) -> str:
        return wording.one_of(wording.GO_ON[2:], self.memory.turn)

    def promise_callback(self) -> bool:
        self.memory.callback, self.memory.declined = "promised", True
        return self.answer.say(wording.CALLBACK_PROMISED)

    def end(self, reason: str, farewell: str = "") -> None:
        if not farewell:
            done = self.memory.closed and not self.memory.declined
            farewell = self.playbook.farewell if done else wording.goodbye_from(self.playbook.company)
        self.answer.does.append(EndCall(reason, self.asker.written(farewell)))

    def _briefing(self, text: str) -> str:
        known = "; ".join(f"{name}: {slot['spoken']}" for name, slot in self.memory.slots.items())
        return f'They said: "{text.strip()}".' + (f" Known so far: {known}." if known else "")
