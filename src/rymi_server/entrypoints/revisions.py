"""Which revision a database is at, and which one this version needs.

The migrations are read as text: a process that only wants to know whether it may work does not load alembic for it.
"""

import ast
from pathlib import Path

import sqlalchemy as sa

import rymi_server
from rymi_server.foundation.database import Transaction


def migrations_folder() -> Path:
    """Beside the sources in a checkout, inside the package where it was installed."""
    package = Path(rymi_server.__file__).parent
    inside = package / "_migrations"
    return inside if inside.exists() else package.parents[1] / "migrations"


def newest_revision() -> str:
    """The one migration that no other follows."""
    found = [_written(module) for module in (migrations_folder() / "versions").glob("*.py")]
    (newest,) = {each["revision"] for each in found} - {each["down_revision"] for each in found}
    assert newest is not None
    return newest


async def current_revision(tx: Transaction) -> str | None:
    """The revision of a database, or None where it was never migrated."""
    if (await tx.execute(sa.text("select to_regclass('alembic_version')"))).scalar_one() is None:
        return None
    found: str | None = (await tx.execute(sa.text("select version_num from alembic_version"))).scalar_one_or_none()
    return found


def _written(module: Path) -> dict[str, str | None]:
    """`revision` and `down_revision`, which alembic has every migration say in its first lines."""
    said: dict[str, str | None] = {}
    for line in ast.parse(module.read_text()).body:
        target = line.targets[0] if isinstance(line, ast.Assign) else getattr(line, "target", None)
        if isinstance(target, ast.Name) and target.id in ("revision", "down_revision"):
            said[target.id] = ast.literal_eval(line.value)  # type: ignore[attr-defined]  # Both kinds have a value.
    return said
