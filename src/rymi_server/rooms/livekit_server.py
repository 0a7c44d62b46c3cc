"""Which LiveKit server rooms are on. Here rather than beside its users, so that naming one does not load its client."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LiveKit:
    """A LiveKit server, ours or anybody's. `public_url` is where browsers find it, `url` where we do."""

    url: str
    public_url: str
    api_key: str
    api_secret: str
