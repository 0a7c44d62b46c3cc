"""What a conversation asks next: what is missing, then whether all of it is right, then whether there is more."""

from rymi_server.runtime.thinking import wording
from rymi_server.runtime.thinking.memory import Memory
from rymi_server.runtime.thinking.playbook import READ_BACK, Playbook, Slot
from rymi_server.runtime.thinking.slots import expected_answer
from rymi_server.runtime.thinking.templates import fill, names_in
from rymi_server.speech_engines.promises import Expected

CALLBACK_SLOT = Slot("callback_number", "phone", wording.CALLBACK_NUMBER)
_MOST_TRIES = 3
_AGREE = Expected("yes_no")
# An answer, and nobody knows which: a wish or a correction comes as often as yes or no.
_ANYTHING = Expected("choice")


class Asker:
    def __init__(self, playbook: Playbook, memory: Memory) -> None:
        self._playbook = playbook
        self._memory = memory

    def slot(self, name: str) -> Slot | None:
        return CALLBACK_SLOT if name == CALLBACK_SLOT.name else self._playbook.slot(name)

    def has_question(self) -> bool:
        memory = self._memory
        return bool(memory.asking) or not memory.declined

    def next_question(self) -> str:
        """The words, remembering that they were said. Empty where nothing is left to ask."""
        memory = self._memory
        if memory.asking == "read_back" and memory.subject in memory.slots:
            return ""
        if memory.callback == "wanted" and CALLBACK_SLOT.name not in memory.slots:
            return self._ask("slot", CALLBACK_SLOT.question, CALLBACK_SLOT.name)
        if memory.asking == "opener" and not memory.slots and self._asked_to_begin():
            return self._asked_to_begin()
        if memory.declined:
            return self._ask("more", self.written(self._playbook.anything_else))
        missing = next(
            (s for s in self._playbook.slots if s.name not in memory.slots and s.name not in memory.skipped), None
        )
        if missing is not None:
            return self._ask("slot", self.written(missing.question), missing.name)
        if self._playbook.closing and not memory.closed:
            return self._ask("closing", self.written(self._playbook.closing))
        return self._ask("more", self.written(self._playbook.anything_else))

    def repeat_question(self) -> str:
        """The question that is open, once more."""
        last = self._memory.said.replace("!", ".").replace("? ", "?. ").split(". ")[-1].strip()
        return last if last.endswith("?") else ""

    def must_read_back(self, slot: Slot) -> bool:
        """Whether a mishearing would go unnoticed, because the closing question does not say it."""
        return slot.kind in READ_BACK and (slot.kind != "name" or slot.name not in names_in(self._playbook.closing))

    def again(self, slot: Slot) -> bool:
        """Whether to ask once more; nobody is asked without end."""
        self._memory.tries[slot.name] = self._memory.tries.get(slot.name, 0) + 1
        return self._memory.tries[slot.name] < _MOST_TRIES

    def written(self, text: str) -> str:
        return fill(text, {name: slot["spoken"] for name, slot in self._memory.slots.items()}).text

    def expected(self) -> Expected | None:
        if self._memory.asking == "slot":
            slot = self.slot(self._memory.subject)
            return expected_answer(slot) if slot else None
        if self._memory.asking in {"read_back", "fallback"}:
            return _AGREE
        return _ANYTHING if self._memory.asking in {"opener", "closing", "change", "more"} else None

    def _asked_to_begin(self) -> str:
        sentences = self.written(self._playbook.opener).replace("!", ".").split(". ")
        return sentences[-1].strip() if sentences[-1].rstrip().endswith("?") else ""

    def _ask(self, asking: str, words: str, subject: str = "") -> str:
        self._memory.asking, self._memory.subject = (asking, subject) if words else ("", "")
        return words
