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
from rymi_server.runtime.thinking.reading import mapping
from rymi_server.runtime.thinking.replies import Heard, Step, UseTool, Words
from rymi_server.runtime.thinking.templates import RESULT, fill
from rymi_server.runtime.thinking.tools import Offered, Tool, ToolExecutor, hand_off_of, tools_of
from rymi_server.speech_engines.promises import Expected

# The variable that holds the number of whoever calls from a phone.
CALLER_PHONE = "caller_phone"


class PlaybookResponder:
    def __init__(
        self,
        situation: Situation,
        *,
        greets: bool = True,
        remembered: Mapping[str, Any] | None = None,
        missing: tuple[str, ...] = (),
        offered: Offered | None = None,
        executor: ToolExecutor | None = None,
    ) -> None:
        self._offered = offered or Offered(())
        self._executor = executor
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
        can_hand_off: bool | None = None,
        hand_off_to: str | None = None,
        present: Callable[[], int] | None = None,
        executor: ToolExecutor | None = None,
    ) -> "PlaybookResponder":
        """`values` are the call's variables; `now` is the local time of the people spoken to.

        Whether a human can be got is what the agent's tools say, unless `can_hand_off` says otherwise.
        """
        offered = tools_of(agent)
        bound, number = hand_off_of(agent)
        playbook, missing = read_playbook(agent, values)
        phone = values.get(CALLER_PHONE)
        situation = Situation(
            playbook=playbook,
            matcher=Matcher({entry.key: entry.phrases for entry in playbook.entries}),
            now=now,
            can_hand_off=bound if can_hand_off is None else can_hand_off,
            hand_off_to=hand_off_to or number,
            caller_phone=phone if isinstance(phone, str) else None,
            present=present,
            guardrails=Guardrails.for_agent(agent),
        )
        greets = mapping(agent, "advanced").get("startSpeakingPhrasing") != "wait_for_user"
        return cls(situation, greets=greets, remembered=remembered, missing=missing, offered=offered, executor=executor)

    @property
    def opener(self) -> str | None:
        return self._opener() or None if self._greets else None

    @property
    def expected(self) -> Expected | None:
        return Asker(self._situation.playbook, self._memory).expected()

    def memory(self) -> dict[str, Any]:
        return copy.deepcopy(self._memory.as_json())

    async def respond(self, turn: Sequence[Heard]) -> AsyncIterator[Step]:
        working = copy.deepcopy(self._memory)
        steps = iter(Turn(self._situation, working).take(turn))
        for step in steps:
            tool = self._tool(step)
            if tool is None or not isinstance(step, UseTool):
                yield step
                continue
            answer = next(steps)
            assert isinstance(answer, Words), "a tool is asked for the sake of what is said next"
            yield Words(wording.ONE_MOMENT)
            told = await self._told_by(tool, step, answer.text)
            working.said = working.said.replace(answer.text, told)
            yield Words(told)
        self._memory = working

    def silence(self, prompts_so_far: int) -> str | None:
        """Whether they are there, then what was asked, then nothing more."""
        if prompts_so_far >= len(wording.THERE):
            return None
        return f"{wording.THERE[prompts_so_far]} {self._question()}".strip()

    def not_understood(self, times_before: int) -> str:
        return f"{wording.one_of(wording.NOT_UNDERSTOOD, times_before)} {self._question()}".strip()

    def _question(self) -> str:
        """What was asked last."""
        return Asker(self._situation.playbook, self._memory).repeat_question()

    def _tool(self, step: Step) -> Tool | None:
        """The tool that is asked here. Without an executor the step goes to whoever carries steps out."""
        if self._executor is None or not isinstance(step, UseTool):
            return None
        return self._offered.named(step.name)

    async def _told_by(self, tool: Tool, step: UseTool, answer: str) -> str:
        assert self._executor is not None
        known = tool.parameters.get("properties")
        arguments = {name: value for name, value in step.arguments.items() if name in (known or {})}
        outcome = await self._executor.run(tool, arguments)
        if not outcome.succeeded:
            return wording.NOT_FOUND_OUT
        content = outcome.content if isinstance(outcome.content, dict) else {"text": outcome.content}
        filled = fill(answer, {f"{RESULT}{name}": value for name, value in content.items()}, drop_results=True)
        return self._situation.guardrails.check(filled.text).text

    def _opener(self) -> str:
        """A slot in it has no value yet."""
        return Asker(self._situation.playbook, Memory()).written(self._situation.playbook.opener)

    def _begin(self) -> None:
        opener = self._opener()
        if self._greets and opener:
            self._memory.said = opener
            self._memory.asking = "opener" if opener.rstrip().endswith("?") else ""
