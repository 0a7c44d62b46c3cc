"""Writes rows of several tables in one statement, however many there are: sent once, answered once.

A transaction that writes a thing with all its parts is short then, and so is the time that others wait for its locks.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from rymi_server.foundation.database import Transaction
from rymi_server.foundation.statements import Statement

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped.


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows for one table. All of them name the same columns."""

    into: sa.Table
    rows: Sequence[Mapping[str, Any]]


async def write(tx: Transaction, *parts: Rows) -> None:
    """Write all parts. One may refer to rows of another: foreign keys are looked at when all are written."""
    written = [part for part in parts if part.rows]
    if written:
        statement = _statement(tuple((part.into, tuple(part.rows[0])) for part in written))
        values = {f"rows_{number}": json.dumps(part.rows, default=_as_text) for number, part in enumerate(written)}
        await statement.run(tx, values)


@cache
def _statement(parts: tuple[tuple[sa.Table, tuple[str, ...]], ...]) -> Statement:
    """One INSERT for each part, all in one statement. Made once for each choice of tables and columns."""
    inserts = [_insert(number, table, columns) for number, (table, columns) in enumerate(parts)]
    first = ", ".join(f"part_{number} as ({insert})" for number, insert in enumerate(inserts[:-1]))
    return Statement(sa.text(f"with {first} {inserts[-1]}" if first else inserts[-1]))


def _insert(number: int, table: sa.Table, columns: tuple[str, ...]) -> str:
    names = ", ".join(columns)
    typed = ", ".join(f"{name} {table.c[name].type.compile(dialect=_DIALECT)}" for name in columns)
    # The names are those of our own tables; every value is a parameter.
    return (
        f"insert into {table.name} ({names}) "  # noqa: S608
        f"select {names} from jsonb_to_recordset(cast(:rows_{number} as jsonb)) as r ({typed})"
    )


def _as_text(value: object) -> str:
    match value:
        case datetime():
            return value.isoformat()
        case Decimal():
            return str(value)
        case _:
            raise TypeError(f"{type(value).__name__} cannot be written as a row's value")
