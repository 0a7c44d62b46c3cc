"""`rymi tenants`: who is served, and what they may."""

from typing import Annotated
from zoneinfo import available_timezones

import typer

from rymi_server.entrypoints.operating import within
from rymi_server.entrypoints.settings import Settings, WrongSettings
from rymi_server.entrypoints.tenancy import create_tenant
from rymi_server.foundation.clock import SystemClock
from rymi_server.foundation.database import Transaction
from rymi_server.tenants import store
from rymi_server.tenants.models import Tenant

app = typer.Typer(
    help="The tenants of this installation.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
_clock = SystemClock()

Who = Annotated[str, typer.Argument(metavar="TENANT", help="Its name or id.")]


@app.command("list")
def list_tenants() -> None:
    """List the tenants."""

    async def every(tx: Transaction, _: Settings) -> list[Tenant]:
        return await store.every(tx)

    for tenant in within(every):
        paused = f"  paused: {tenant.paused_reason or 'no reason given'}" if tenant.is_paused else ""
        print(f"{tenant.id}  {tenant.plan:<8}  {tenant.name}{paused}")


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    plan: Annotated[str | None, typer.Option(help="A plan of RYMI_PLANS; the default plan if none is given.")] = None,
) -> None:
    """Create a tenant. It has no key and no credit yet."""

    async def add(tx: Transaction, settings: Settings) -> Tenant:
        chosen = _known_plan(plan or settings.default_plan, settings)
        if not name.strip():
            raise WrongSettings("A tenant needs a name.")
        if await store.is_named(tx, name):
            raise WrongSettings(f"There is a tenant {name!r} already, and commands name tenants by their names.")
        return await create_tenant(tx, name, chosen, _clock.now())

    print(within(add).id)


@app.command()
def pause(tenant: Who, reason: Annotated[str | None, typer.Option(help="What its people are told.")] = None) -> None:
    """Refuse new calls of a tenant. Running ones go on."""

    async def stop(tx: Transaction, _: Settings) -> Tenant:
        found = await store.find(tx, tenant)
        await store.pause(tx, found.id, reason, _clock.now())
        return found

    print(f"{within(stop).name} is paused.")


@app.command()
def resume(tenant: Who) -> None:
    """Let a paused tenant call again."""

    async def go_on(tx: Transaction, _: Settings) -> Tenant:
        found = await store.find(tx, tenant)
        await store.resume(tx, found.id)
        return found

    print(f"{within(go_on).name} may call again.")


@app.command()
def plan(tenant: Who, plan: Annotated[str, typer.Argument(help="A plan of RYMI_PLANS.")]) -> None:
    """Give a tenant another plan."""

    async def change(tx: Transaction, settings: Settings) -> Tenant:
        found = await store.find(tx, tenant)
        await store.change_plan(tx, found.id, _known_plan(plan, settings))
        return found

    print(f"{within(change).name} is on the plan {plan}.")


@app.command("keep-recordings")
def keep_recordings(
    tenant: Who,
    days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="Delete each after so many days; without it, keep them all.")
    ] = None,
) -> None:
    """Say how long a tenant's recordings are kept."""

    async def change(tx: Transaction, _: Settings) -> Tenant:
        found = await store.find(tx, tenant)
        await store.keep_recordings(tx, found.id, days)
        return found

    kept = f"for {days} days" if days else "until they are deleted"
    print(f"Recordings of {within(change).name} are kept {kept}.")


@app.command("time-zone")
def time_zone(
    tenant: Who,
    zone: Annotated[str | None, typer.Argument(help="As in `Europe/Berlin`; without it, UTC.")] = None,
) -> None:
    """Say where a tenant is, so that "tomorrow at ten" in its calls is understood."""
    if zone is not None and zone not in available_timezones():
        raise WrongSettings(f"There is no time zone {zone!r}. Names are those of IANA, such as Europe/Berlin.")

    async def change(tx: Transaction, _: Settings) -> Tenant:
        found = await store.find(tx, tenant)
        await store.set_time_zone(tx, found.id, zone)
        return found

    print(f"{within(change).name} is in {zone or 'UTC'}.")


def _known_plan(name: str, settings: Settings) -> str:
    if name not in settings.plans:
        raise WrongSettings(f"There is no plan {name!r}. RYMI_PLANS has: {', '.join(settings.plans)}.")
    return name
