"""All calls of the box: those going on, up to a cap, and the latest of those that are over."""

from collections import OrderedDict
from collections.abc import Iterator

from carrierbox.calls.call import Call


class BoxIsFull(Exception):
    """As many calls are going on as the box is set to carry. Nothing was dialed."""

    def __init__(self, cap: int) -> None:
        super().__init__(f"carrierbox carries at most {cap} calls at once and that many are going on.")


class NoSuchCall(Exception):
    """No call of that id is known here: it never was, or was forgotten."""


class Ledger:
    """Remembers calls by id. Of the oldest ended ones the sound is forgotten first, then the rest."""

    def __init__(self, most_live: int, most_remembered: int, most_recordings: int) -> None:
        self._most_live = most_live
        self._most_recordings = most_recordings
        self._most_remembered = most_remembered
        self._calls: OrderedDict[str, Call] = OrderedDict()

    def admit(self) -> None:
        """Refuse if one call more would be too many."""
        if self.live_count() >= self._most_live:
            raise BoxIsFull(self._most_live)

    def enter(self, call: Call) -> None:
        self.admit()
        self._calls[call.id] = call
        ended = [known.id for known in self._calls.values() if known.is_over]
        for call_id in ended[: max(0, len(ended) - self._most_remembered)]:
            del self._calls[call_id]
        silent = [call_id for call_id in ended if call_id in self._calls]
        for call_id in silent[: max(0, len(silent) - self._most_recordings)]:
            self._calls[call_id].forget_sound()

    def get(self, call_id: str) -> Call:
        try:
            return self._calls[call_id]
        except KeyError:
            raise NoSuchCall(call_id) from None

    def find(self, call_id: str, carrier: str, account_id: str) -> Call:
        """The call if it belongs to that account; another account's call does not exist."""
        call = self.get(call_id)
        if (call.carrier, call.account_id) != (carrier, account_id):
            raise NoSuchCall(call_id)
        return call

    def newest_first(self) -> Iterator[Call]:
        return reversed(self._calls.values())

    def of_account(self, carrier: str, account_id: str) -> list[Call]:
        return [c for c in self.newest_first() if (c.carrier, c.account_id) == (carrier, account_id)]

    def live_count(self) -> int:
        return sum(not call.is_over for call in self._calls.values())

    def forget_all(self) -> None:
        self._calls.clear()
