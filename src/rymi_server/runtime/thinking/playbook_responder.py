"""A conversation held by a playbook alone: no model, no network, the same answer to the same words every time.

    responder = PlaybookResponder.for_agent(agent, values, now=clock.now, remembered=briefing.memory)

A turn is worked out on a copy of the memory, which takes its place only once the whole answer was taken.
"""

import copy
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rymi_server.runtime.thinking import wording
from rymi_server.runtime.thinking.asking import Asker
from rymi_server.runtime.thinking.conversation import Turn
from rymi_server.runtime.thinking.guardrails import Guardrails
from rymi_server.runtime.thinking.matching import Matcher
from rymi_server.runtime.thinking.memory import Memory
from rymi_server.runtime.thinking.moves import Situation
from rymi_server.runtime.thinking.playbook import read_playbook
from rymi_server.runtime.thinking.replies import Heard, Step
from rymi_server.speech_engines.promises import Expected

_CALLER_PHONE = "caller_phone"


class PlaybookResponder:
    def __init__(
        self,
        situation: Situation,
        *,
        greets: bool = True,
        remembered: Mapping[str, Any] | None = None,
        missing: tuple[str, ...] = (),
    ) -> None:
        self._situation = situation
        self._greets = greets
        # Variables that the playbook names and that this call has no value for.
        self.missing = missing
        self._memory = Memory.from_json(remembered)
        if not self._memory.turn and not self._memory.asking:
            self._begin()

    @classmethod
    def for_agent(
        cls,
        agent: Mapping[str, Any],
        values: Mapping[str, Any],
        *,
        now: Callable[[], datetime],
        remembered: Mapping[str, Any] | None = None,
        can_hand_off: bool = False,
        hand_off_to: str | None = None,
        present: Callable[[], int] | None = None,
    ) -> "PlaybookResponder":
        """`values` are the call's variables; `now` is the local time of the people spoken to."""
        playbook, missing = read_playbook(agent, values)
        phone = values.get(_CALLER_PHONE)
        situation = Situation(
            playbook=playbook,
            matcher=Matcher({entry.key: entry.phrases for entry in playbook.entries}),
            now=now,
            can_hand_off=can_hand_off,
            hand_off_to=hand_off_to,
            caller_phone=phone if isinstance(phone, str) else None,
            present=present,
            guardrails=Guardrails.for_agent(agent),
        )
        greets = (agent.get("advanced") or {}).get("startSpeakingPhrasing") != "wait_for_user"
        return cls(situation, greets=greets, remembered=remembered, missing=missing)

    @property
    def opener(self) -> str | None:
        return self._situation.playbook.opener or None if self._greets else None

    @property
    def expected(self) -> Expected | None:
        return Asker(self._situation.playbook, self._memory).expected()

    def memory(self) -> dict[str, Any]:
        return copy.deepcopy(self._memory.as_json())

    async def respond(self, turn: Sequence[Heard]) -> AsyncIterator[Step]:
        working = copy.deepcopy(self._memory)
        for step in Turn(self._situation, working).take(turn):
            yield step
        self._memory = working

    def silence(self, prompts_so_far: int) -> str | None:
        """Whether they are there, then what was asked, then nothing more."""
        if prompts_so_far >= len(wording.THERE):
            return None
        question = Asker(self._situation.playbook, self._memory).repeat_question()
        return f"{wording.THERE[prompts_so_far]} {question}".strip()

    def _begin(self) -> None:
        opener = self._situation.playbook.opener
        if self._greets and opener:
            self._memory.said = opener
            self._memory.asking = "opener" if opener.rstrip().endswith("?") else ""
