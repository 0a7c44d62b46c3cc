"""The answer to what was asked: how each open question is closed, corrected or left."""

from rymi_server.foundation.spoken.agreement import yes_or_no
from rymi_server.foundation.spoken.words import meanings, normal
from rymi_server.runtime.thinking import wording
from rymi_server.runtime.thinking.asking import CALLBACK_SLOT
from rymi_server.runtime.thinking.intents import is_question
from rymi_server.runtime.thinking.matching import PERHAPS
from rymi_server.runtime.thinking.moves import Moves
from rymi_server.runtime.thinking.playbook import Slot

# A yes of so few words says nothing else.
_SHORT = 5


class Answers:
    def __init__(self, moves: Moves) -> None:
        self._moves = moves
        self.memory = moves.memory

    def hear(self, text: str, intents: frozenset[str]) -> bool:
        rule = {
            "opener": self._answers_opener,
            "slot": self._answers_slot,
            "read_back": self._answers_read_back,
            "closing": self._answers_closing,
            "change": self._answers_change,
            "more": self._answers_more,
            "fallback": self._answers_fallback,
            "clarify": self._answers_clarify,
        }.get(self.memory.asking)
        return rule is not None and rule(text, intents)

    def _answers_opener(self, text: str, _: frozenset[str]) -> bool:
        agreed = yes_or_no(text)
        if agreed is None or self._moves.find(text).sure:
            return False
        echoes = self._moves.filler.fill_unasked(text)
        if echoes or self._moves.filler.problem:
            self.memory.asking = ""
            return self._moves.took(echoes)
        self.memory.asking = ""
        if agreed:
            return self._moves.answer.say(wording.one_of(wording.GO_ON, self.memory.turn))
        self.memory.declined = True
        self._moves.answer.asks = False
        return self._moves.answer.say(wording.HOW_ELSE)

    def _answers_slot(self, text: str, intents: frozenset[str]) -> bool:
        slot = self._moves.asker.slot(self.memory.subject)
        if slot is None:
            return False
        if is_question(text) and self._moves.entry_for_question(text) is not None:
            return False
        taken = self._moves.filler.fill_asked(slot, text)
        if taken is None:
            return self._is_not_answered(slot, text, intents)
        self.memory.declined = False
        if taken.problem:
            self._moves.answer.say(taken.problem)
            self._moves.answer.asks = not taken.problem.rstrip().endswith("?")
            return True
        echoes = [echo for echo in [*taken.echoes, *self._moves.filler.fill_unasked(text)] if echo]
        if slot.name == CALLBACK_SLOT.name and not self._moves.asker.must_read_back(slot):
            return self._moves.promise_callback()
        if self._moves.asker.must_read_back(slot):
            self.memory.asking, self.memory.subject = "read_back", slot.name
            return self._moves.answer.say(wording.is_it_this(taken.read_back))
        if slot.kind == "name":
            return self._moves.answer.say(f"Thank you, {self._moves.filler.value(slot.name)}.")
        return self._moves.took(echoes)

    def _is_not_answered(self, slot: Slot, text: str, intents: frozenset[str]) -> bool:
        if slot.name == CALLBACK_SLOT.name and yes_or_no(text) is False:
            self.memory.callback, self.memory.asking = "", ""
            return self._moves.answer.say(wording.NEVER_MIND)
        if "unknown" not in intents:
            return False
        if chosen := self._moves.filler.choose(slot):
            return self._moves.answer.say(wording.let_us_say(chosen))
        self.memory.skipped.append(slot.name)
        return self._moves.answer.say(wording.LEFT_OPEN)

    def _answers_read_back(self, text: str, _: frozenset[str]) -> bool:
        slot = self._moves.asker.slot(self.memory.subject)
        if slot is None:
            return False
        agreed = yes_or_no(text)
        other = None if agreed and len(normal(text)) < _SHORT else self._moves.filler.fill_asked(slot, text)
        if other is not None and not other.problem and other.changed and self._moves.asker.again(slot):
            return self._moves.answer.say(wording.is_it_this(other.read_back))
        if agreed is None:
            return False
        self.memory.asking = ""
        if not agreed and self._moves.asker.again(slot):
            self.memory.slots.pop(slot.name, None)
            return self._moves.answer.say(wording.SAY_AGAIN)
        if slot.name == CALLBACK_SLOT.name:
            return self._moves.promise_callback()
        first = str(self._moves.filler.value(slot.name) or "")
        return self._moves.answer.say(
            f"Thank you, {first}." if slot.kind == "name" and agreed else self._moves.went_on()
        )

    def _answers_closing(self, text: str, _: frozenset[str]) -> bool:
        echoes = self._moves.filler.fill_unasked(text, correcting=True)
        if echoes or self._moves.filler.problem:
            self._moves.answer.asks = bool(echoes)
            return self._moves.took(echoes)
        agreed = yes_or_no(text)
        if agreed:
            self.memory.closed, self.memory.asking = True, ""
            return self._moves.answer.say(wording.one_of(wording.GO_ON, self.memory.turn))
        if agreed is None:
            return self._names_a_slot(text)
        if not self._moves.playbook.slots:
            self.memory.declined, self.memory.closed = True, True
            return self._moves.answer.say(self._moves.went_on())
        if self._names_a_slot(text):
            return True
        self.memory.asking = "change"
        self._moves.answer.asks = False
        return self._moves.answer.say(wording.WHAT_TO_CHANGE)

    def _answers_change(self, text: str, _: frozenset[str]) -> bool:
        if echoes := self._moves.filler.fill_unasked(text, correcting=True, bare=True):
            return self._moves.took(echoes)
        if self._names_a_slot(text):
            return True
        if yes_or_no(text) is False:
            self.memory.asking = ""
            return self._moves.answer.say(self._moves.went_on())
        return False

    def _names_a_slot(self, text: str) -> bool:
        said = set(meanings(text, synonyms=False))
        for slot in self._moves.playbook.slots:
            if slot.name in self.memory.slots and said & set(meanings(f"{slot.name} {slot.kind}", synonyms=False)):
                self.memory.slots.pop(slot.name)
                self.memory.closed = False
                return self._moves.answer.say(wording.one_of(wording.GO_ON, self.memory.turn))
        return False

    def _answers_more(self, text: str, intents: frozenset[str]) -> bool:
        if self._moves.find(text).best is not None and is_question(text):
            return False
        agreed = yes_or_no(text)
        if agreed is False or ("thanks" in intents and agreed is None):
            self._moves.end("completed")
            return True
        if agreed and len(normal(text)) < _SHORT:
            self.memory.asking = ""
            self._moves.answer.asks = False
            return self._moves.answer.say(wording.GO_AHEAD)
        return False

    def _answers_fallback(self, text: str, _: frozenset[str]) -> bool:
        agreed = yes_or_no(text)
        if agreed is None:
            return False
        self.memory.asking = ""
        return self._moves.get_a_human(text) if agreed else self._moves.answer.say(wording.NEVER_MIND)

    def _answers_clarify(self, text: str, _: frozenset[str]) -> bool:
        between, said = self.memory.between, normal(text)
        self.memory.asking, self.memory.between = "", []
        chosen = None
        if len(between) == 1 and (agreed := yes_or_no(text)) is not None:
            if not agreed:
                self._moves.answer.asks = False
                return self._moves.answer.say(wording.OTHER_WORDS)
            chosen = between[0]
        elif {"first", "former"} & set(said):
            chosen = between[0]
        elif {"second", "latter", "last"} & set(said):
            chosen = between[-1]
        else:
            scored = [each for each in self._moves.situation.matcher.scores(text) if each.key in between]
            chosen = scored[0].key if scored and scored[0].score >= PERHAPS / 2 else None
        entry = self._moves.playbook.entry(chosen) if chosen else None
        return entry is not None and self._moves.give(entry)
