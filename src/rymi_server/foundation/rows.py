"""Writes rows of several tables in one statement, however many there are: sent once, answered once.

A transaction that writes a thing with all its parts is short then, and so is the time that others wait for its locks.
JSON that is one and the same object in all rows of a part is sent once: 500 calls weigh little more than one.
Functions of the database may be called in the same statement, and one of them may decide whether anything is written.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, TypeAlias

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


@dataclass(frozen=True, slots=True)
class Called:
    """A function of the database's with its parameters by name, such as `made(:name)`: always the same text."""

    call: str
    parameters: Mapping[str, Any]


Part: TypeAlias = Rows | Called


async def write(tx: Transaction, *parts: Part) -> None:
    """Write all parts. One may refer to rows of another: foreign keys are looked at when all are written."""
    written = _not_empty(parts)
    if written:
        await _statement(None, _shapes(written)).run(tx, _values(written))


async def write_if(tx: Transaction, condition: Called, *parts: Part) -> tuple[Any, ...]:
    """Write all parts if the function that is called returns a row with `granted`, and nothing otherwise.

    It is called before anything is written. The answer begins with all the columns that it returned.
    """
    written = _not_empty(parts)
    decided = {_within("condition", name): value for name, value in condition.parameters.items()}
    return await _statement(condition.call, _shapes(written)).one(tx, decided | _values(written))


def _not_empty(parts: Sequence[Part]) -> list[Part]:
    return [part for part in parts if isinstance(part, Called) or part.rows]


# What a statement is made of: a table with the columns that are written and those of them that are sent once, or the
# call of a function.
_Shape: TypeAlias = tuple[sa.Table, tuple[str, ...], tuple[str, ...]] | str


def _shapes(parts: Sequence[Part]) -> tuple[_Shape, ...]:
    return tuple(
        part.call if isinstance(part, Called) else (part.into, tuple(part.rows[0]), _sent_once(part)) for part in parts
    )


def _sent_once(part: Rows) -> tuple[str, ...]:
    """Equal is not enough: 1, 1.0 and true are equal here, and not in JSON."""
    first, *others = part.rows
    if not others:
        return ()
    json_columns = [name for name in first if isinstance(part.into.c[name].type, sa.JSON)]
    return tuple(name for name in json_columns if all(row[name] is first[name] for row in others))


def _values(parts: Sequence[Part]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for number, part in enumerate(parts):
        if isinstance(part, Called):
            values |= {_within(f"part_{number}", name): value for name, value in part.parameters.items()}
        else:
            once = _sent_once(part)
            rows = [{name: value for name, value in row.items() if name not in once} for row in part.rows]
            values[f"rows_{number}"] = json.dumps(rows, default=_as_text)
            if once:
                values[f"once_{number}"] = json.dumps({name: part.rows[0][name] for name in once})
    return values


@cache
def _statement(condition: str | None, shapes: tuple[_Shape, ...]) -> Statement:
    """One statement for all. Made once for each choice of tables, columns and functions."""
    only = "where (select granted from condition)" if condition else ""
    parts = [f"condition as materialized (select * from {_renamed(condition, 'condition')})"] if condition else []  # noqa: S608
    # PostgreSQL writes what a part writes in any case; a function it calls only if somebody looks at its result.
    looked_at = ["condition.*"] if condition else ["true"]
    for number, shape in enumerate(shapes):
        if isinstance(shape, str):
            parts.append(f"part_{number} as materialized (select {_renamed(shape, f'part_{number}')} {only})")
            looked_at.append(f"(select count(*) from part_{number})")  # noqa: S608
        else:
            parts.append(f"part_{number} as ({_insert(number, *shape)} {only})")
    source = "from condition" if condition else ""
    # Of ours are the names, the numbers and the calls; every value is a parameter.
    return Statement(sa.text(f"with {', '.join(parts)} select {', '.join(looked_at)} {source}"))


def _within(part: str, name: str) -> str:
    return f"{part}_{name}"


def _renamed(call: str, part: str) -> str:
    """With names of parameters that no other part of the statement has."""
    return re.sub(r"(?<!:):(\w+)", lambda found: f":{_within(part, found[1])}", call)


def _insert(number: int, table: sa.Table, columns: tuple[str, ...], once: tuple[str, ...]) -> str:
    names = ", ".join(columns)
    of_each = _typed(table, [name for name in columns if name not in once])
    # The names are those of our own tables; every value is a parameter.
    source = f"jsonb_to_recordset(cast(:rows_{number} as jsonb)) as r ({of_each})"
    if once:
        source += f", jsonb_to_record(cast(:once_{number} as jsonb)) as o ({_typed(table, once)})"
    return f"insert into {table.name} ({names}) select {names} from {source}"  # noqa: S608


def _typed(table: sa.Table, columns: Sequence[str]) -> str:
    return ", ".join(f"{name} {table.c[name].type.compile(dialect=_DIALECT)}" for name in columns)


def _as_text(value: object) -> str:
    match value:
        case datetime():
            return value.isoformat()
        case Decimal():
            return str(value)
        case _:
            raise TypeError(f"{type(value).__name__} cannot be written as a row's value")
