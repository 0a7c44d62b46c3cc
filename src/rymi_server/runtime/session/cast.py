"""Who plays in a call, and by which clocks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rymi_server.runtime.hearing.tap import Cleaner, as_it_is
from rymi_server.runtime.session.manners import Manners
from rymi_server.runtime.session.minds import Mind
from rymi_server.runtime.turn_taking.interruption import Interruption
from rymi_server.runtime.turn_taking.signals import TurnDetector
from rymi_server.speech_engines.promises import Ear, Vocabulary, Voice


@dataclass(frozen=True, slots=True)
class Cast:
    """The engines and the mind of one call, and how it behaves."""

    ear: Ear
    voice: Voice
    new_detector: Callable[[], TurnDetector]
    mind: Mind
    manners: Manners
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    instructions: str = ""
    tools: tuple[Any, ...] = ()
    # Whether an answer may be begun for words that are only guessed.
    guesses: bool = True
    interruption: Interruption = field(default_factory=Interruption)
    # Words that a recogniser is less sure of are not answered.
    sure_from: float = 0.0
    # For each person one.
    new_cleaner: Callable[[], Cleaner] = field(default=lambda: as_it_is)


@dataclass(frozen=True, slots=True)
class Times:
    """`now` is steady, `wall` is the time of day. `linger_s`: how long the agent waits for people to come back;
    `nobody_s`: how long for anybody to come at all. `is_closing`: whether the agent has to go, whoever is there."""

    now: Callable[[], float]
    wall: Callable[[], datetime]
    linger_s: float = 5.0
    nobody_s: float = 900.0
    is_closing: Callable[[], bool] = lambda: False
