"""One thing that was found out about a call, and why it is believed."""

from dataclasses import dataclass
from typing import Any

from rymi_server.intelligence.analysis import HEURISTIC
from rymi_server.intelligence.dialogue import Turn


@dataclass(frozen=True, slots=True)
class Finding:
    """`value` None means unknown: then there is no evidence and no confidence either."""

    value: Any = None
    confidence: float | None = None
    turns: tuple[Turn, ...] = ()

    def provenance(self) -> dict[str, Any]:
        evidence = [turn.evidence() for turn in self.turns]
        return {"method": HEURISTIC, "confidence": self.confidence, "evidence": evidence}


UNKNOWN = Finding()
