"""Statements of the most frequented paths, handed to the driver directly.

The same connection and the same transaction as every other statement, and the same types: only the machinery between
is left out, which takes about as long as PostgreSQL does. Written in SQLAlchemy, compiled once.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeAlias

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import psycopg as dialect
from sqlalchemy.sql.dml import ReturningInsert

from rymi_server.foundation.database import Transaction, driver_of

_DIALECT = dialect.PGDialect_psycopg()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped.
# PostgreSQL's number of the type: what SQLAlchemy asks about a column whose numbers are exact, and of no other.
_NUMERIC = 1700
_Change: TypeAlias = Callable[[Any], Any] | None


class Statement:
    """A statement whose parameters are all named in it."""

    def __init__(self, clause: sa.Select[Any] | ReturningInsert[Any] | sa.Insert | sa.Update | sa.TextClause) -> None:
        compiled = clause.compile(dialect=_DIALECT)
        self._sql = str(compiled).encode()
        self._fixed = {name: value for name, value in compiled.params.items() if value is not None}
        self._binders = {
            name: change
            for name, bind in compiled.binds.items()
            if (change := bind.type.dialect_impl(_DIALECT).bind_processor(_DIALECT)) is not None
        }
        columns = list(clause.selected_columns) if isinstance(clause, sa.Select) else []
        self._readers: list[_Change] = [
            column.type.dialect_impl(_DIALECT).result_processor(_DIALECT, _NUMERIC) for column in columns
        ]

    async def run(self, tx: Transaction, parameters: Mapping[str, Any]) -> int:
        """How many rows were changed."""
        return (await self._execute(tx, parameters)).rowcount

    async def one(self, tx: Transaction, parameters: Mapping[str, Any]) -> tuple[Any, ...]:
        row = await self.one_or_none(tx, parameters)
        if row is None:
            raise sa.exc.NoResultFound("No row was found when one was required")
        return row

    async def one_or_none(self, tx: Transaction, parameters: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """For what is found by a key: there is no second row."""
        row = await (await self._execute(tx, parameters)).fetchone()
        return None if row is None else self._read(row)

    async def all(self, tx: Transaction, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        return [self._read(row) for row in await (await self._execute(tx, parameters)).fetchall()]

    def _read(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        if not self._readers:
            return row
        return tuple(
            value if read is None or value is None else read(value)
            for read, value in zip(self._readers, row, strict=True)
        )

    async def _execute(self, tx: Transaction, parameters: Mapping[str, Any]) -> psycopg.AsyncCursor[tuple[Any, ...]]:
        bound = {**self._fixed, **parameters}
        for name, change in self._binders.items():
            if bound[name] is not None:
                bound[name] = change(bound[name])
        try:
            return await driver_of(tx).execute(self._sql, bound)
        except psycopg.IntegrityError as error:
            # As everybody who expects one knows it. Without the parameters, which would end in the logs.
            raise sa.exc.IntegrityError(self._sql.decode(), None, error, hide_parameters=True) from error


async def change_row(tx: Transaction, table: sa.Table, key: Any, values: Mapping[str, Any]) -> None:
    """Give the row of `table` with this id these values, which are plain ones."""
    if values:
        changed = {_TO + name: value for name, value in values.items()}
        await _changing(table, tuple(sorted(values))).run(tx, {"row": key, **changed})


_TO = "to_"


@cache
def _changing(table: sa.Table, columns: tuple[str, ...]) -> Statement:
    """Made once for each choice of columns."""
    to = {name: sa.bindparam(_TO + name, type_=table.c[name].type) for name in columns}
    return Statement(table.update().where(table.c.id == sa.bindparam("row")).values(to))
