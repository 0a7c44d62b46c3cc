"""Calls many numbers at once: a call for each, or all of them in one conference."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from rymi_server.agents.post_call_config import refuse_invalid
from rymi_server.call_control.admission import Admission
from rymi_server.call_control.create import CallCreator, CreatedCall
from rymi_server.call_control.wanted import Caller, WantedCall, WantedParticipant, phones
from rymi_server.dnc.store import listed
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import new_prefixed


@dataclass(frozen=True, slots=True)
class WantedBatch:
    agent_id: str
    recipients: Sequence[WantedParticipant]
    batch_id: str | None = None
    metadata: dict[str, Any] | None = None
    variables: dict[str, Any] | None = None
    post_call: dict[str, Any] | None = None
    conference: bool = False
    skip_dnc: bool = False


@dataclass(frozen=True, slots=True)
class CreatedBatch:
    batch_id: str
    calls: list[CreatedCall]
    # Numbers that were left out because they must not be rung.
    skipped: list[str]


class BatchCreator:
    def __init__(self, admission: Admission, creator: CallCreator) -> None:
        self._admission = admission
        self._creator = creator

    async def create(self, tx: Transaction, caller: Caller, wanted: WantedBatch) -> CreatedBatch:
        """All of the batch or, with the first refusal, nothing of it."""
        refuse_invalid(wanted.post_call or {})
        skipped = await self._to_skip(tx, caller, wanted) if wanted.skip_dnc else set()
        recipients = [each for each in wanted.recipients if each.identity not in skipped]
        admitted = await self._admission.open_gates(tx, caller, wanted.agent_id, recipients)
        batch_id = wanted.batch_id or new_prefixed("batch")
        calls = _calls(replace(wanted, recipients=recipients), batch_id)
        created = await self._creator.write(tx, caller, admitted, calls) if calls else []
        return CreatedBatch(batch_id, created, sorted(skipped))

    async def _to_skip(self, tx: Transaction, caller: Caller, wanted: WantedBatch) -> set[str]:
        return await listed(tx, caller.tenant.id, phones(wanted.recipients))


def _calls(wanted: WantedBatch, batch_id: str) -> list[WantedCall]:
    if not wanted.recipients:
        return []
    groups = [wanted.recipients] if wanted.conference else [[recipient] for recipient in wanted.recipients]
    # Lists show the batch in the metadata, where customers look for it.
    metadata = {**(wanted.metadata or {}), "batch_id": batch_id}
    variables, post_call = wanted.variables or {}, wanted.post_call or {}
    # The same objects for all of them, which are written once: foundation/rows.py.
    return [WantedCall(wanted.agent_id, group, metadata, variables, post_call, batch_id) for group in groups]
