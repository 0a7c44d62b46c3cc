"""Begins an answer to somebody who speaks over the agent while the interrupted sentence may still go on.

The library makes no guess before it has put that sentence away, because the answer depends on how much of it was heard.
But while people speak the agent is paused, so that is known already: the guess is made as if the sentence had ended
there. Should it go on after all, the guess is taken back.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from livekit.agents import AgentSession, llm
from livekit.agents.voice import TranscriptSynchronizer
from livekit.agents.voice.agent_activity import _PreemptiveGeneration
from livekit.agents.voice.audio_recognition import _PreemptiveGenerationInfo
from livekit.agents.voice.speech_handle import InputDetails

from rymi_server.runtime.hearing.happenings import FloorClosed, GuessHeard, Happening, Utterance, WordsHeard


@dataclass(slots=True)
class GuessingOver:
    """`take_back` has the mind forget what it has answered to that turn. Told of what the session is told of."""

    session: AgentSession[Any]
    synchronizer: TranscriptSynchronizer
    is_paused: Callable[[], bool]
    take_back: Callable[[int], None]
    # The sentence as it was heard, by which the guess was made; a guess without one followed silence.
    _heard: llm.ChatMessage | None = None
    _guess: _PreemptiveGeneration | None = None
    _worded: bool = False

    def tell(self, happening: Happening) -> None:
        if isinstance(happening, GuessHeard):
            self._worded = False
            self._begin(happening.utterance)
        elif isinstance(happening, WordsHeard) and happening.counts:
            self._worded = True
        elif isinstance(happening, FloorClosed) and not self._worded:
            self._give_up()

    def fit(self, turn_ctx: llm.ChatContext) -> None:
        """Before a turn is answered: where the sentence ended as it was guessed to, the guess is the answer."""
        heard, self._heard, self._guess = self._heard, None, None
        last = turn_ctx.items[-1] if turn_ctx.items else None
        if heard is None or not isinstance(last, llm.ChatMessage):
            return
        if last.interrupted and last.role == "assistant" and last.text_content == heard.text_content:
            turn_ctx.items[-1] = heard

    def _begin(self, said: Utterance) -> None:
        speech, activity = self.session.current_speech, self.session._activity
        if speech is None or activity is None or speech.interrupted or not speech.allow_interruptions:
            return
        so_far = self.synchronizer._impl.synchronized_transcript
        if not self.is_paused() or not so_far:
            return
        self._give_up()
        heard = llm.ChatMessage(role="assistant", content=[so_far], interrupted=True)
        asked = llm.ChatMessage(role="user", content=[said.labelled], transcript_confidence=said.confidence)
        context = activity.agent.chat_ctx.copy()
        context.items.append(heard)
        handle = activity._generate_reply(
            user_message=asked,
            chat_ctx=context,
            schedule_speech=False,
            input_details=InputDetails(modality="audio"),
        )
        self._heard = heard
        self._guess = activity._preemptive_generation = _PreemptiveGeneration(
            speech_handle=handle,
            user_message=asked,
            info=_PreemptiveGenerationInfo(said.labelled, said.confidence or 1.0, None),
            chat_ctx=context.copy(),
            tools=activity.tools.copy(),
            tool_choice=activity._tool_choice,
            created_at=time.time(),
        )

    def _give_up(self) -> None:
        if self._guess is None:
            return
        activity = self.session._activity
        if activity is not None and activity._preemptive_generation is self._guess:
            activity._cancel_preemptive_generation()
            asked_before = [each for each in self._guess.chat_ctx.messages() if each.role == "user"]
            self.take_back(len(asked_before) + 1)
        self._heard = self._guess = None
