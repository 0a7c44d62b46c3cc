"""Where the agent's lines begin and end."""

import numpy as np

from rymi_server.runtime.hearing.happenings import TurnEnded, Utterance, WordsHeard
from rymi_server.runtime.reports import AnyReport, Said, TurnTaken
from rymi_server.runtime.session.ledger import Ledger
from rymi_server.runtime.session.room_text import PeoplesText
from rymi_server.runtime.speaking.player import BLOCK_BYTES
from rymi_server.runtime.turn_taking.signals import EngineUsed

LOUD = np.full(BLOCK_BYTES // 2, 5_000, np.int16).tobytes()
SILENT = bytes(BLOCK_BYTES)


class TestALineOfTheAgent:
    def test_begins_and_ends_with_its_sound(self) -> None:
        sent: list[AnyReport] = []
        text = PeoplesText(lambda shown: None, lambda: 0.0)
        ledger = Ledger(sent.append, lambda: 0, lambda at: round(at * 1_000), lambda who: (None, who), text)
        for line in (0.0, 10.0):
            ledger.began(line + 1.0)
            # The first loud block comes late, because the machine was busy meanwhile.
            for at, block in ((1.0, SILENT), (1.3, LOUD), (1.32, LOUD), (1.34, SILENT)):
                ledger.played(line + at, block)
            ledger.ended(line + 1.36, 0.36, False)
            ledger.agent_said("a", "Hello.", interrupted=False)
        said = [each.line for each in sent if isinstance(each, Said)]
        assert [(each.started_at_ms, each.ended_at_ms) for each in said] == [(1_300, 1_340), (11_300, 11_340)]


class Clocked:
    """A ledger on a clock that is set, with somebody who asked something at 1 s."""

    def __init__(self) -> None:
        self.sent: list[AnyReport] = []
        self.now = 1.0
        text = PeoplesText(lambda shown: None, lambda: 0.0)
        self.ledger = Ledger(self.sent.append, self.now_ms, lambda at: round(at * 1_000), lambda who: (None, who), text)
        self.ledger.hear(TurnEnded("ann", EngineUsed("balanced", "pcm", False), 0, 800, 1_000, "silence", 200, "short"))

    def now_ms(self) -> int:
        return round(self.now * 1_000)

    def words_at(self, at: float) -> None:
        self.now = at
        self.ledger.hear(WordsHeard(Utterance("ann", "ann-1", "when", "when", 0, 800), counts=True))

    def speaks(self, *, asked_at: float, sounded_at: float) -> None:
        self.ledger.voice_begins()
        self.ledger.voice_sounded(asked_at, sounded_at)
        # The next sentence is none that anybody waits for.
        self.ledger.voice_sounded(sounded_at, sounded_at + 0.5)

    def plays_at(self, at: float) -> dict[str, float]:
        """Where the answer's time went."""
        self.now = at
        self.ledger.began(at)
        self.ledger.close_turn()
        [turn] = [each for each in self.sent if isinstance(each, TurnTaken)]
        return turn.parts


class TestTheTimeOfAnAnswer:
    def test_has_that_of_the_voice_in_it(self) -> None:
        call = Clocked()
        call.words_at(1.05)
        call.speaks(asked_at=1.06, sounded_at=1.26)
        parts = call.plays_at(1.28)
        assert (parts["words_ms"], parts["answer_ms"], parts["voice_ms"]) == (50, 230, 200)

    def test_has_of_a_voice_that_was_asked_ahead_what_was_still_to_come(self) -> None:
        call = Clocked()
        call.speaks(asked_at=0.9, sounded_at=1.15)
        call.words_at(1.05)
        assert call.plays_at(1.16)["voice_ms"] == 100

    def test_has_none_where_the_answer_was_spoken_ahead(self) -> None:
        call = Clocked()
        call.speaks(asked_at=0.9, sounded_at=1.0)
        call.words_at(1.05)
        assert call.plays_at(1.06)["voice_ms"] == 0
