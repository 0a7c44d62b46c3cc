"""`rymi speech`: which engines this machine has, and the models of those that run on it."""

from typing import Annotated

import httpx
import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from rymi_server.entrypoints.outcome import outcome
from rymi_server.entrypoints.settings import Settings, read_settings
from rymi_server.speech_engines.naming import ENGINES, Place, parse
from rymi_server.speech_engines.pulling.fetching import pull as fetch
from rymi_server.speech_engines.readiness import Equipment, EquipmentReadiness, is_installed

app = typer.Typer(
    help="Engines that hear, speak and think.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command("list")
def list_engines() -> None:
    """List the engines, whether they are ready here, and what is missing where they are not."""
    raise typer.Exit(outcome(_list))


@app.command()
def pull(name: Annotated[str, typer.Argument(help="Such as `vosk:en-us`, `piper:en_US-lessac-medium`.")]) -> None:
    """Fetch a model ahead of time. Calls never fetch anything."""
    raise typer.Exit(outcome(lambda: _pull(name)))


def _list() -> None:
    settings: Settings = read_settings()
    equipment = settings.speech_equipment()
    readiness = EquipmentReadiness(equipment)
    for engine in ENGINES.values():
        parts = ", ".join(sorted(engine.parts))
        quality = "  demo" if engine.quality == "demo" else ""
        print(f"{engine.name:15} {parts:18} {engine.place:10}{quality}")
        for line in _models(equipment, engine.name) if engine.place is Place.LOCAL else ():
            print(f"{'':15}   {line}")
        # What a model is called does not matter for a key or a package.
        missing = readiness.missing([engine.name]) if engine.place is Place.REMOTE else []
        for why in missing:
            print(f"{'':15}   {why.partition(': ')[2]}")


def _models(equipment: Equipment, engine: str) -> list[str]:
    readiness = EquipmentReadiness(equipment)
    folder = equipment.models_folder / engine
    here = [each for each in sorted(folder.iterdir()) if not each.name.startswith(".")] if folder.is_dir() else []
    names = [f"{engine}:{each.name.replace('--', '/')}" for each in here]
    if not is_installed(ENGINES[engine].module):
        return [f"not installed; add {ENGINES[engine].install}"]
    lines = [(readiness.missing([name]) or [f"{name} is ready"])[0] for name in names]
    return lines or [f"no models in {folder}"]


def _pull(text: str) -> None:
    settings = read_settings()
    name = parse(text, next(iter(parse(text).entry.parts)))
    folder = settings.speech_equipment().models_folder
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with httpx.Client() as http, Progress(*columns) as shown:
        tasks: dict[str, TaskID] = {}

        def progress(file: str, here: int, size: int | None) -> None:
            if file not in tasks:
                tasks[file] = shown.add_task(file, total=size)
            shown.update(tasks[file], completed=here)

        place = fetch(name, folder, http, progress)
    print(f"{name} is in {place}")
    for why in EquipmentReadiness(Equipment({}, folder)).missing([str(name)]):
        print(f"Still missing: {why}")
