"""Where the agent's lines begin and end."""

import numpy as np

from rymi_server.runtime.reports import AnyReport, Said
from rymi_server.runtime.session.ledger import Ledger
from rymi_server.runtime.session.room_text import PeoplesText
from rymi_server.runtime.speaking.player import BLOCK_BYTES

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
