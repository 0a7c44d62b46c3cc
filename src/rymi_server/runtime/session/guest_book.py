"""Who is in the room, who was invited, and what each goes by: in the room, on the call's record, and to the agent."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rymi_server.runtime.briefing import Person
from rymi_server.runtime.session.media import Guest


@dataclass(slots=True)
class GuestBook:
    """Times are the steady clock's. Somebody who was added after the agent came brings their own data."""

    invited: Sequence[Person]
    first_came_at: float | None = None
    alone_since: float | None = None
    _present: dict[str, Guest] = field(default_factory=dict)
    _participants: dict[str, str] = field(default_factory=dict)
    _people: dict[str, Person] = field(init=False)

    def __post_init__(self) -> None:
        self._people = {person.room_identity: person for person in self.invited}

    def came(self, guest: Guest, now: float) -> bool:
        """Whether this is the first of all."""
        self._present[guest.identity] = guest
        if guest.participant_id:
            self._participants[guest.identity] = guest.participant_id
        self.alone_since = None
        if self.first_came_at is not None:
            return False
        self.first_came_at = now
        return True

    def left(self, identity: str, now: float) -> None:
        if self._present.pop(identity, None) is not None and not self._present:
            self.alone_since = now

    def is_present(self, identity: str) -> bool:
        return identity in self._present

    def is_observer(self, identity: str) -> bool:
        guest, person = self._present.get(identity), self._people.get(identity)
        return bool((guest and guest.observer) or (person and person.role == "observer"))

    def name(self, identity: str) -> str:
        """What the agent calls them: of phones the number, not the participant's id."""
        person = self._people.get(identity)
        return person.identity if person else identity

    def who(self, identity: str) -> tuple[str | None, str]:
        """The participant's id, and the name."""
        person = self._people.get(identity)
        participant_id = self._participants.get(identity) or (person.participant_id if person else None)
        return participant_id, self.name(identity)

    def present_as(self, participant_id: str) -> str | None:
        """What a participant who is there goes by in the room."""
        return next((each for each in self._present if participant_id in (self.who(each)[0], each)), None)

    def participant_named(self, name: str) -> str | None:
        """Whoever has left as well: what they wanted holds."""
        identities = [*self._present, *self._people, *self._participants]
        return next((self.who(identity)[0] for identity in identities if self.name(identity) == name), None)
