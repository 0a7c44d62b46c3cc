"""Statements of the most frequented paths, handed to the driver directly.

The same connection and the same transaction as every other statement, and the same types: only the machinery between
is left out, which takes about as long as PostgreSQL does. Written in SQLAlchemy, compiled once.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import psycopg as dialect

from rymi_server.foundation.database import Transaction, driver_of

_DIALECT = dialect.PGDialect_psycopg()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped.
_Change: TypeAlias = Callable[[Any], Any] | None


class Statement:
    """A statement whose parameters are all named in it."""

    def __init__(self, clause: sa.Select[Any] | sa.TextClause) -> None:
        compiled = clause.compile(dialect=_DIALECT)
        self._sql = str(compiled).encode()
        self._fixed = {name: value for name, value in compiled.params.items() if value is not None}
        self._binders = {
            name: change
            for name, bind in compiled.binds.items()
            if (change := bind.type.dialect_impl(_DIALECT).bind_processor(_DIALECT)) is not None
        }
        columns = [] if isinstance(clause, sa.TextClause) else list(clause.selected_columns)
        self._readers: list[_Change] = [
            column.type.dialect_impl(_DIALECT).result_processor(_DIALECT, None) for column in columns
        ]

    async def run(self, tx: Transaction, parameters: Mapping[str, Any]) -> None:
        await self._execute(tx, parameters)

    async def one(self, tx: Transaction, parameters: Mapping[str, Any]) -> tuple[Any, ...]:
        row = await self.one_or_none(tx, parameters)
        if row is None:
            raise sa.exc.NoResultFound("No row was found when one was required")
        return row

    async def one_or_none(self, tx: Transaction, parameters: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """For what is found by a key: there is no second row."""
        row = await (await self._execute(tx, parameters)).fetchone()
        if row is None or not self._readers:
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
