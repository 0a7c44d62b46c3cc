"""`rymi keys`: secret API keys of a tenant."""

from typing import Annotated

import typer

from rymi_server.entrypoints.operating import within
from rymi_server.entrypoints.settings import Settings
from rymi_server.entrypoints.tenancy import NewKey, create_key
from rymi_server.foundation.clock import SystemClock
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import KeyId
from rymi_server.foundation.pagination import Page, Window
from rymi_server.foundation.sealed import pepper_from_text
from rymi_server.keys import store
from rymi_server.keys.models import SecretKey
from rymi_server.tenants.store import find

app = typer.Typer(
    help="The API keys of a tenant.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
_clock = SystemClock()
_SHOWN = Window(limit=200)

Whose = Annotated[str, typer.Option("--tenant", help="The tenant's name or id.")]


@app.command("list")
def list_keys(tenant: Whose) -> None:
    """List the working keys of a tenant, without the secrets: those were shown once."""

    async def newest(tx: Transaction, _: Settings) -> Page[SecretKey]:
        return await store.secret_page(tx, (await find(tx, tenant)).id, _clock.now(), _SHOWN)

    found = within(newest)
    for key in found.rows:
        used = f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never"
        print(f"{key.id}  {key.prefix}…  made {key.created_at:%Y-%m-%d}  used {used}  {key.label}")
    if found.total > len(found.rows):
        print(f"and {found.total - len(found.rows)} older ones")


@app.command()
def create(
    tenant: Whose, label: Annotated[str, typer.Option(help="What it is for.")] = "made on the command line"
) -> None:
    """Create a secret key and print it: once, because only its digest is stored."""

    async def add(tx: Transaction, settings: Settings) -> NewKey:
        found = await find(tx, tenant)
        pepper = pepper_from_text(settings.required_secret())
        return await create_key(tx, found.id, label, pepper, _clock.now())

    print(within(add).plaintext)


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(help="Its id, as `rymi keys list` shows it.")], tenant: Whose) -> None:
    """Revoke a key. The last one of a tenant stays."""

    async def remove(tx: Transaction, _: Settings) -> SecretKey:
        return await store.revoke_secret(tx, (await find(tx, tenant)).id, KeyId(key_id), _clock.now())

    print(f"{within(remove).prefix}… opens nothing any more.")
