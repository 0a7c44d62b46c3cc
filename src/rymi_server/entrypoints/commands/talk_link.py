"""`rymi talk-link`: a link to talk to a tenant's agents, or to one of them, from any browser."""

from datetime import timedelta
from typing import Annotated

import typer

from rymi_server.agents import store as agents
from rymi_server.entrypoints.operating import within
from rymi_server.entrypoints.settings import Settings
from rymi_server.entrypoints.up.invitation import talk_address
from rymi_server.foundation.clock import SystemClock
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.errors import Refused
from rymi_server.foundation.ids import AgentId, TenantId, is_uuid
from rymi_server.foundation.sealed import pepper_from_text
from rymi_server.http.talk.passes import TALK_LIVES, TalkPass, talk_pass, talk_url
from rymi_server.tenants.store import find

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
_clock = SystemClock()
_LONGEST_DAYS = 90

Whose = Annotated[str, typer.Option("--tenant", help="The tenant's name or id.")]
Which = Annotated[str | None, typer.Option("--agent", help="An agent's name or id; without it, all may be picked.")]
Days = Annotated[int, typer.Option("--days", min=1, max=_LONGEST_DAYS, help="How long the link is good for.")]


class NoSuchAgent(Refused):
    status, code = 404, "not_found"


@app.command()
def talk_link(tenant: Whose, agent: Which = None, days: Days = TALK_LIVES.days) -> None:
    """Print a link to the talk page. Whoever has it talks at the tenant's cost, until its time is over."""

    async def make(tx: Transaction, settings: Settings) -> str:
        owner = (await find(tx, tenant)).id
        opens = TalkPass(owner, await _agent(tx, owner, agent) if agent else None)
        pepper = pepper_from_text(settings.required_secret())
        return talk_url(talk_address(settings), talk_pass(pepper, opens, _clock.now(), timedelta(days=days)))

    print(within(make))


async def _agent(tx: Transaction, tenant_id: TenantId, name_or_id: str) -> AgentId:
    if is_uuid(name_or_id):
        return (await agents.get(tx, tenant_id, name_or_id)).id
    found = await agents.named(tx, tenant_id, name_or_id)
    if len(found) == 1:
        return found[0].id
    if not found:
        raise NoSuchAgent(f"There is no agent {name_or_id!r}.")
    raise NoSuchAgent(f"There are {len(found)} agents {name_or_id!r}: give an id of {', '.join(a.id for a in found)}.")
