"""A chat model as the mind of a call: what it says is checked sentence by sentence, and its tools are the call's."""

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from livekit.agents import RunContext, StopResponse, llm

from rymi_server.foundation.spoken.labels import labels_of
from rymi_server.runtime.session.minds import going_on
from rymi_server.runtime.session.opting_out import whose_wish
from rymi_server.runtime.thinking.guardrails import Guardrails
from rymi_server.runtime.thinking.replies import EndCall, OptOut, PressKeys, Step
from rymi_server.runtime.thinking.sentences import SentenceGate
from rymi_server.runtime.thinking.tools import OPT_OUT, Tool, ToolExecutor, step_for
from rymi_server.runtime.thinking.turn_marks import TurnCompletion
from rymi_server.speech_engines.promises import Expected

_PROMPTS: Final = ("Are you still there?", "I cannot hear you.")
_NOT_UNDERSTOOD: Final = ("Sorry, I did not get that.", "I am sorry, could you say that again?")
_GREET: Final = "Greet the caller in one short sentence, and ask what you can do for them."
_CALLED: Final = "A human is being called. Tell the caller so in one short sentence."
_PRESSED: Final = "The keys are pressed once your answer has been said. Listen to what follows."
_WHOSE: Final = "Not noted yet: say by `who` which of them it is, {names}. If you do not know, ask."
_NOTED: Final = "Noted: this person will not be called again."


class ModelMind:
    """Keeps the promise of `Mind`."""

    def __init__(
        self,
        model: llm.LLM[Any],
        opener: str | None,
        guardrails: Guardrails,
        language: str,
        greets: bool,
        completion: TurnCompletion | None = None,
    ) -> None:
        self._model = model
        self._opener = opener
        self._guardrails = guardrails
        self._language = language
        self._greets = greets
        self._completion = completion
        self._effects: list[Step] = []
        self._act: Callable[[Step], None] = self._effects.append
        self._names: Callable[[], Sequence[str]] = tuple

    @property
    def chat_model(self) -> llm.LLM[Any]:
        return self._model

    @property
    def opener(self) -> str | None:
        return self._opener

    @property
    def greeting_instructions(self) -> str | None:
        return _GREET if self._greets and not self._opener else None

    @property
    def expected(self) -> Expected | None:
        return None

    @property
    def completion(self) -> TurnCompletion | None:
        return self._completion

    def listen_to(self, speaker: Callable[[], str], names: Callable[[], Sequence[str]]) -> None:  # noqa: ARG002
        self._names = names

    def memory(self) -> None:
        """The lines that were said are all that a successor needs."""

    def silence(self, prompts_so_far: int) -> str | None:
        return _PROMPTS[prompts_so_far] if prompts_so_far < len(_PROMPTS) else None

    def not_understood(self, times_before: int) -> str:
        return _NOT_UNDERSTOOD[times_before % len(_NOT_UNDERSTOOD)]

    def new_gate(self) -> SentenceGate | None:
        return SentenceGate(self._guardrails, self._language)

    def act_at_once(self, act: Callable[[Step], None]) -> None:
        self._act = act

    def take_effects(self, *, interrupted: bool = False) -> list[Step]:
        effects, self._effects = self._effects, []
        return going_on(effects) if interrupted else effects

    def take_back(self, turn: int) -> None:
        """Nothing is remembered of an answer before it is given: its tools are called once it is."""

    def functions(self, tools: Sequence[Tool], executor: ToolExecutor) -> list[llm.RawFunctionTool[..., Any]]:
        """The tools as the session offers them to the model."""
        return [self._function(tool, executor) for tool in tools]

    def _function(self, tool: Tool, executor: ToolExecutor) -> llm.RawFunctionTool[..., Any]:
        async def call(raw_arguments: dict[str, Any]) -> str:
            step = step_for(tool, raw_arguments)
            if step is None:
                outcome = await executor.run(tool, raw_arguments)
                return json.dumps({"succeeded": outcome.succeeded, "result": outcome.content}, default=str)
            self._effects.append(step)
            if isinstance(step, EndCall):
                # The farewell is said by the call itself, and nothing after it.
                raise StopResponse
            return _PRESSED if isinstance(step, PressKeys) else _CALLED

        async def opt_out(raw_arguments: dict[str, Any], context: RunContext[Any]) -> str:
            return self._opt_out(str(raw_arguments.get("who") or ""), context.session.current_agent.chat_ctx)

        schema = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
        return llm.function_tool(opt_out if tool.name == OPT_OUT else call, raw_schema=schema)

    def _opt_out(self, named: str, context: llm.ChatContext) -> str:
        """At once, and nobody has to hear us out: the session calls tools only for an answer that is being given."""
        names = self._names()
        turns = [item.text_content or "" for item in context.messages() if item.role == "user"]
        who = whose_wish(named, turns[-1] if turns else "", names)
        if who is None:
            return _WHOSE.format(names=", ".join(labels_of(names).values()))
        self._act(OptOut(who))
        return _NOTED
