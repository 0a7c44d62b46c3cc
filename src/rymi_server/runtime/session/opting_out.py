"""Whose wish it is not to be called again, where a model notes one. Never guessed: somebody else would go uncalled."""

from collections.abc import Sequence

from rymi_server.foundation.spoken.labels import labels_of
from rymi_server.runtime.session.minds import heard_in


def whose_wish(named: str, turn: str, names: Sequence[str]) -> str | None:
    """`named` by the model, with a name or a label; or whoever alone speaks in the turn. None: it cannot be told.

    `names` are everybody's who may have spoken.
    """
    if len(names) < 2:
        return names[0] if names else None
    called = named.strip(" []")
    if not called:
        spoke = {heard.identity for heard in heard_in(turn, names, "")}
        return spoke.pop() or None if len(spoke) == 1 else None
    label_of = labels_of(names)
    exactly = [name for name in names if called in (name, label_of[name])]
    nearly = [name for name in names if called.casefold() in (name.casefold(), label_of[name].casefold())]
    meant = exactly or nearly
    return meant[0] if len(meant) == 1 else None
