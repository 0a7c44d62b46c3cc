"""`rymi credits`: what a tenant can spend."""

from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from rymi_server.credits import ledger
from rymi_server.credits.models import Account, Entry
from rymi_server.entrypoints.operating import within
from rymi_server.entrypoints.settings import Settings
from rymi_server.entrypoints.tenancy import add_credit
from rymi_server.foundation.clock import SystemClock
from rymi_server.foundation.database import Transaction
from rymi_server.tenants.store import find

app = typer.Typer(
    help="The credit of a tenant.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
_clock = SystemClock()
_MOVEMENTS_SHOWN = 20

Whose = Annotated[str, typer.Option("--tenant", help="The tenant's name or id.")]


def _dollars(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount == 0 or amount != round(amount, 6) or abs(amount) >= 1_000_000_000:
        raise typer.BadParameter(f"{text!r} is not an amount in USD, such as 25 or 12.50")
    return amount


@app.command()
def add(
    amount: Annotated[Decimal, typer.Argument(parser=_dollars, metavar="USD", help="What to add.")],
    tenant: Whose,
    note: Annotated[str, typer.Option(help="Kept with the movement.")] = "",
) -> None:
    """Add credit. To take some back, add a negative amount after `--`."""

    async def grant(tx: Transaction, _: Settings) -> Decimal:
        return await add_credit(tx, (await find(tx, tenant)).id, amount, note, _clock.now())

    print(f"{within(grant):.2f} USD")


@app.command()
def show(tenant: Whose) -> None:
    """Show the balance, what is held for running calls, and the newest movements."""

    async def look(tx: Transaction, _: Settings) -> tuple[Account, list[Entry]]:
        found = await find(tx, tenant)
        return await ledger.account_of(tx, found.id), await ledger.entries(tx, found.id, _MOVEMENTS_SHOWN)

    account, entries = within(look)
    print(f"balance {account.balance:.3f} USD, of which {account.held:.3f} are held for running calls")
    for entry in entries:
        about = entry.note or entry.call_id or entry.reference
        print(f"{entry.created_at:%Y-%m-%d %H:%M}  {entry.amount:>+12.4f}  {entry.kind:<10}  {about}")
