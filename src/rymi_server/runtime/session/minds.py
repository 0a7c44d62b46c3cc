"""Who thinks up the answers, as the session asks for them: a responder of ours, or a chat model."""

import re
import uuid
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import structlog
from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, APIConnectOptions, NotGivenOr, llm

from rymi_server.foundation.spoken.labels import labels_of
from rymi_server.runtime.thinking.replies import EndCall, Heard, Responder, Step, Words
from rymi_server.runtime.thinking.sentences import SentenceGate
from rymi_server.runtime.thinking.turn_marks import TurnCompletion
from rymi_server.speech_engines.promises import Expected

log = structlog.get_logger(__name__)

# A turn joins the one before it, and those that joined already have gone.
_CAN_GO_BACK = 3
_LABEL = re.compile(r"\[([^\[\]]{1,256})\] ")


class Mind(Protocol):
    """`chat_model` is what the session talks to; the rest is what a call asks besides."""

    @property
    def chat_model(self) -> llm.LLM[Any]: ...

    @property
    def opener(self) -> str | None: ...

    @property
    def greeting_instructions(self) -> str | None:
        """How the model is asked to greet, where there is no opener and the agent speaks first."""
        ...

    @property
    def expected(self) -> Expected | None: ...

    @property
    def completion(self) -> TurnCompletion | None:
        """How it tells whether the caller was done; None where it does not."""
        ...

    def new_gate(self) -> SentenceGate | None:
        """What an answer's text must go through; None where it is right as it comes."""
        ...

    def listen_to(self, speaker: Callable[[], str], names: Callable[[], Sequence[str]]) -> None:
        """Who spoke last, and everybody who may have spoken."""
        ...

    def memory(self) -> dict[str, Any] | None:
        """What a successor should know; None where the lines that were said are all there is."""
        ...

    def silence(self, prompts_so_far: int) -> str | None: ...

    def not_understood(self, times_before: int) -> str:
        """What to say to somebody of whom no word was understood."""
        ...

    def act_at_once(self, act: Callable[[Step], None]) -> None:
        """What must not wait for the end of an answer is carried out by this; never for one that is only guessed."""
        ...

    def take_effects(self, *, interrupted: bool = False) -> list[Step]:
        """What the answer that was just given should bring about, once. Whoever `interrupted` it is not hung up on."""
        ...

    def take_back(self, turn: int) -> None:
        """The answer that was guessed to this turn of the people, the first being 1, is not given."""
        ...


@dataclass(slots=True)
class _Attempt:
    """An answer to one turn. A turn may be answered again: when it went on, or was only guessed."""

    turn: int
    before: dict[str, Any]
    effects: list[Step] = field(default_factory=list)
    taken: bool = False


class ResponderMind(llm.LLM[Any]):
    """`make` builds a responder from its memory, so that a turn can be taken back whatever became of it."""

    def __init__(self, make: Callable[[dict[str, Any] | None], Responder], memory: dict[str, Any] | None) -> None:
        super().__init__()
        self._make = make
        self._responder = make(memory)
        self._attempts: list[_Attempt] = []
        self._speaker: Callable[[], str] = str
        self._names: Callable[[], Sequence[str]] = tuple

    @property
    def model(self) -> str:
        return "playbook"

    @property
    def provider(self) -> str:
        return "rymi"

    @property
    def chat_model(self) -> llm.LLM[Any]:
        return self

    @property
    def opener(self) -> str | None:
        return self._responder.opener

    @property
    def greeting_instructions(self) -> None:
        """A responder greets with its opener, or not at all."""

    @property
    def expected(self) -> Expected | None:
        return self._responder.expected

    @property
    def completion(self) -> None:
        """A responder takes a turn for what the floor takes it for."""

    def new_gate(self) -> None:
        """A responder checks what it says by itself."""

    def listen_to(self, speaker: Callable[[], str], names: Callable[[], Sequence[str]]) -> None:
        self._speaker, self._names = speaker, names

    def heard_in(self, text: str) -> list[Heard]:
        return heard_in(text, self._names(), self._speaker())

    def memory(self) -> dict[str, Any]:
        return self._responder.memory()

    def silence(self, prompts_so_far: int) -> str | None:
        return self._responder.silence(prompts_so_far)

    def not_understood(self, times_before: int) -> str:
        return self._responder.not_understood(times_before)

    def act_at_once(self, act: Callable[[Step], None]) -> None:
        """Whether its answer is more than a guess is not a responder's to know."""

    def take_effects(self, *, interrupted: bool = False) -> list[Step]:
        # Behind an answer that was interrupted the next one may have been guessed already.
        given = [each for each in self._attempts if not each.taken] if interrupted else self._attempts[-1:]
        if not given or given[0].taken:
            return []
        given[0].taken = True
        return going_on(given[0].effects) if interrupted else list(given[0].effects)

    def take_back(self, turn: int) -> None:
        undone = [attempt for attempt in self._attempts if attempt.turn >= turn]
        if undone:
            self._responder = self._make(undone[0].before)
        self._attempts = [attempt for attempt in self._attempts if attempt.turn < turn]

    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool] | None = None,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        parallel_tool_calls: NotGivenOr[bool] = NOT_GIVEN,  # noqa: ARG002 - The signature is the library's.
        tool_choice: NotGivenOr[llm.ToolChoice] = NOT_GIVEN,  # noqa: ARG002
        extra_kwargs: NotGivenOr[dict[str, Any]] = NOT_GIVEN,  # noqa: ARG002
    ) -> llm.LLMStream:
        return _Answer(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)

    def begin(self, turn: int) -> tuple[Responder, _Attempt]:
        """The responder as it was before this turn, and before all that were guessed to come after it."""
        self.take_back(turn)
        attempt = _Attempt(turn, self._responder.memory())
        self._attempts = [*self._attempts[-_CAN_GO_BACK:], attempt]
        return self._responder, attempt


class _Answer(llm.LLMStream):
    async def _run(self) -> None:
        mind = cast(ResponderMind, self._llm)
        said = [item for item in self._chat_ctx.messages() if item.role == "user"]
        if not said or self._chat_ctx.items[-1].type == "function_call_output":
            return
        responder, attempt = mind.begin(len(said))
        heard = mind.heard_in(said[-1].text_content or "")
        answer_id = uuid.uuid4().hex
        async with aclosing(cast(Any, responder.respond(heard))) as steps:
            async for step in steps:
                if isinstance(step, Words):
                    text = step.text + " "
                    self._event_ch.send_nowait(
                        llm.ChatChunk(id=answer_id, delta=llm.ChoiceDelta(role="assistant", content=text))
                    )
                else:
                    attempt.effects.append(step)


def going_on(effects: Sequence[Step]) -> list[Step]:
    """What is left of them where the caller went on talking: not the end of the call."""
    return [step for step in effects if not isinstance(step, EndCall)]


def heard_in(text: str, names: Sequence[str], speaker: str) -> list[Heard]:
    """Who said what in the text of a turn, which names its speakers once there are several."""
    name_of = {label: name for name, label in labels_of(names).items()}
    places = [place for place in _LABEL.finditer(text) if place[1] in name_of]
    if not places or places[0].start() > 0:
        return [Heard(speaker, text)]
    ends = [place.start() for place in places[1:]] + [len(text)]
    return [Heard(name_of[place[1]], text[place.end() : end].strip()) for place, end in zip(places, ends, strict=True)]
