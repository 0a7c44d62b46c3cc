"""Who may hear a participant's tracks, as the participant itself says: everybody, unless it said otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from livekit.protocol import rtc

ALL: frozenset[str] | None = None
"""Every track, those to come included."""


@dataclass(frozen=True, slots=True)
class Hearers:
    """`by_name` knows people by their identity or by the sid of their stay, and each one's tracks."""

    everybody: bool = True
    by_name: Mapping[str, frozenset[str] | None] = field(default_factory=dict)

    def include(self, identity: str, participant_sid: str, track_sid: str) -> bool:
        return self.everybody or self._names(identity, track_sid) or self._names(participant_sid, track_sid)

    def _names(self, name: str, track_sid: str) -> bool:
        if name not in self.by_name:
            return False
        tracks = self.by_name[name]
        return tracks is None or track_sid in tracks


def hearers_of(wish: rtc.SubscriptionPermission) -> Hearers:
    """A client sends all of its wish each time; of two lines about one listener the later holds."""
    by_name = {
        each.participant_identity or each.participant_sid: ALL if each.all_tracks else frozenset(each.track_sids)
        for each in wish.track_permissions
    }
    return Hearers(wish.all_participants, by_name)
