"""How a conversation goes on after a turn: pure, from what is remembered and what was heard to what is said.

Rules are asked in order, and the first that has an answer wins: what holds in any conversation (opt-out, a human,
goodbye), then the answer to what was just asked, then the playbook's entries, then whatever else was volunteered.
"""

from collections.abc import Sequence

from rymi_server.foundation.spoken.agreement import yes_or_no
from rymi_server.foundation.spoken.words import normal
from rymi_server.runtime.thinking import wording
from rymi_server.runtime.thinking.answering import Answers
from rymi_server.runtime.thinking.intents import intents_of, is_nothing, is_question, is_wish
from rymi_server.runtime.thinking.memory import Memory
from rymi_server.runtime.thinking.moves import Moves, Situation
from rymi_server.runtime.thinking.replies import EndCall, Heard, OptOut, Step, Words

_TOO_OFTEN = 2
# Whoever says more says it once more.
_LONGEST = 2_000
_SHORT = 5


class Turn:
    """One turn, worked out on a memory of its own."""

    def __init__(self, situation: Situation, memory: Memory) -> None:
        self._moves = Moves(situation, memory)
        self._answers = Answers(self._moves)
        self.memory = memory

    def take(self, heard: Sequence[Heard]) -> list[Step]:
        said = [each for each in heard if not is_nothing(each.text)]
        if not said:
            return []
        self.memory.turn += 1
        for each in said:
            self._moves.speaker = each.identity
            if each.identity not in self.memory.people:
                self.memory.people.append(each.identity)
            self._hear(each.text[:_LONGEST].replace("{{", ""))
            if any(isinstance(step, EndCall) for step in self._moves.answer.does):
                break
        return self._steps()

    def _steps(self) -> list[Step]:
        answer = self._moves.answer
        ends = any(isinstance(step, EndCall) for step in answer.does)
        if answer.asks and not ends and not any(said.rstrip().endswith("?") for said in answer.says[-1:]):
            answer.say(self._moves.asker.next_question())
        answer.says = self._allowed(answer.says)
        if answer.says:
            self.memory.said = " ".join(answer.says)
        steps: list[Step] = []
        for said in answer.says:
            if said in answer.looks_up:
                steps.append(answer.looks_up[said])
            steps.append(Words(said))
        return [*steps, *answer.does]

    def _allowed(self, says: list[str]) -> list[str]:
        guardrails, before, allowed = self._moves.situation.guardrails, "", []
        for said in map(self._moves.asker.written, says):
            checked = guardrails.check(said, before)
            before = said
            if checked.text not in allowed:
                allowed.append(checked.text)
        return allowed

    def _hear(self, text: str) -> None:
        intents = intents_of(text)
        rules = (
            self._opts_out,
            self._wants_a_human,
            self._wants_it_again,
            self._leaves,
            self._answers.hear,
            self._speaks_of_an_entry,
            self._volunteers,
            self._makes_small_talk,
            self._strays,
        )
        if any(rule(text, intents) for rule in rules):
            self.memory.misses = 0
            return
        self._is_not_understood()

    # --- what holds in any conversation ------------------------------------------------------------------------------

    def _opts_out(self, _: str, intents: frozenset[str]) -> bool:
        if "opt_out" not in intents:
            return False
        self._moves.answer.does.append(OptOut(self._moves.speaker))
        if self._moves.is_last():
            self._moves.end("opted_out", wording.OPTED_OUT)
        else:
            self._moves.answer.say(wording.OPTED_OUT)
        return True

    def _wants_a_human(self, text: str, intents: frozenset[str]) -> bool:
        return "human" in intents and self._moves.get_a_human(text)

    def _wants_it_again(self, text: str, intents: frozenset[str]) -> bool:
        if "wait" in intents and not is_question(text):
            self._moves.answer.asks = False
            return self._moves.answer.say(wording.TAKE_YOUR_TIME)
        if "quiet" in intents:
            self._moves.answer.asks = False
            return self._moves.answer.say(wording.QUIET)
        if "repeat" in intents and self.memory.said:
            self._moves.answer.asks = False
            return self._moves.answer.say(self.memory.said)
        if "start_over" in intents:
            self.memory.slots.clear()
            self.memory.closed = self.memory.declined = False
            return self._moves.answer.say(wording.one_of(wording.GO_ON, self.memory.turn))
        return False

    def _leaves(self, text: str, intents: frozenset[str]) -> bool:
        if "goodbye" not in intents:
            return False
        if self.memory.asking == "closing" and yes_or_no(text):
            self.memory.closed = True
        if self.memory.asking == "closing" and not yes_or_no(text) and "bye" not in text.lower():
            return False
        if self._moves.speaker not in self.memory.gone:
            self.memory.gone.append(self._moves.speaker)
        if self._moves.is_last():
            self._moves.end("caller_said_goodbye")
        else:
            self._moves.answer.asks = False
            self._moves.answer.say(wording.GOODBYE_TO_ONE)
        return True

    # --- the playbook's entries --------------------------------------------------------------------------------------

    def _speaks_of_an_entry(self, text: str, intents: frozenset[str]) -> bool:
        found = self._moves.find(text)
        if found.best is None or ("robot" in intents or "who" in intents):
            return False
        entry = self._moves.playbook.entry(found.best.key)
        wished = is_wish(text) and self._moves.filler.would_fill(text)
        asked = is_question(text) and not wished
        if entry is None or (entry.key.startswith("fact:") and not asked):
            return False
        if not asked and not entry.fills and entry.key.startswith("script:") and self._moves.filler.would_fill(text):
            return False
        if found.sure:
            if not asked or entry.fills:
                self._moves.filler.fill_unasked(text)
            return self._moves.give(entry)
        candidates = [self._moves.playbook.entry(each.key) for each in (found.best, found.other) if each is not None]
        offered = [each for each in candidates if each is not None and each.title]
        if not asked and self._moves.filler.would_fill(text):
            return False
        if not offered or len(offered) < len(candidates):
            return bool(found.other) and asked and self._moves.give(entry)
        self.memory.asking, self.memory.between = "clarify", [each.key for each in offered]
        self._moves.answer.asks = False
        return self._moves.answer.say(wording.do_you_mean([each.title for each in offered]))

    # --- everything else ---------------------------------------------------------------------------------------------

    def _volunteers(self, text: str, _: frozenset[str]) -> bool:
        if is_question(text) and not is_wish(text):
            return False
        echoes = self._moves.filler.fill_unasked(text)
        if echoes or self._moves.filler.problem:
            self.memory.declined = False
            return self._moves.took(echoes)
        if self._moves.filler.wants_to_begin(text):
            self.memory.declined, self.memory.closed = False, False
            return self._moves.answer.say(wording.one_of(wording.GO_ON, self.memory.turn))
        return False

    def _makes_small_talk(self, text: str, intents: frozenset[str]) -> bool:
        book = self._moves.playbook
        titles = [entry.title.lower() for entry in book.entries if entry.title and entry.key.startswith("script:")]
        replies = {
            "robot": wording.honest(book.agent_name, book.company),
            "who": wording.introduction(book.agent_name, book.company),
            "how_are_you": wording.HOW_ARE_YOU,
            "abilities": wording.abilities(titles[:4], bool(book.slots)),
            "hear_me": wording.HEARD,
            "thanks": wording.WELCOME,
            "hello": wording.HELLO,
        }
        for intent, reply in replies.items():
            if intent in intents:
                return self._moves.answer.say(reply)
        # `okay` to something that it does not answer.
        return (
            len(normal(text)) < _SHORT
            and self.memory.asking in {"", "opener", "slot", "change"}
            and bool(yes_or_no(text))
        )

    def _strays(self, text: str, _: frozenset[str]) -> bool:
        return self._moves.situation.guardrails.off_limits(text) is not None and self._moves.answer.say(
            wording.NOT_MY_TOPIC
        )

    def _is_not_understood(self) -> None:
        self.memory.misses += 1
        if self.memory.misses >= _TOO_OFTEN and self.memory.asking != "fallback":
            self.memory.misses = 0
            self.memory.asking = "fallback"
            self._moves.answer.asks = False
            self._moves.answer.say(f"{wording.NOT_UNDERSTOOD[0]} {self._moves.playbook.fallback}")
            return
        self._moves.answer.say(wording.NOT_UNDERSTOOD[0])
        if not self._moves.asker.has_question():
            self._moves.answer.asks = False
            self._moves.answer.says[-1] = wording.NOT_UNDERSTOOD[1]
