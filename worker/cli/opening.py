"""What every command shares: the two folders, the runtime behind them, and how results are told."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from worker import log
from worker.documents import is_sample
from worker.runtime import Runtime, clock
from worker.settings import load_settings
from worker.store.migrate import upgrade

Data = Annotated[
    Path | None,
    typer.Option("--data", help="Data directory (or OKAERI_DATA).", show_default=False),
]
Config = Annotated[
    Path | None,
    typer.Option("--config", help="Folder of the shop documents (or OKAERI_CONFIG)."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Machine output on standard output.")]
By = Annotated[str, typer.Option("--by", help="Who does it, for the records.")]

SAMPLE_SHOP = (
    "shop.toml がないため、見本のショップの設定で動いています。メールは送りません。\n"
    "no shop.toml: using the shipped sample documents, no mail leaves; run `okaeri init`."
)
words = Console(stderr=True, highlight=False, soft_wrap=True)
"""Words and progress go to standard error; standard output is for results."""


class Findings(typer.Exit):
    """Done, with findings: exit code 1."""

    def __init__(self) -> None:
        super().__init__(code=1)


class Wrong(Exception):
    """Wrong usage or configuration: exit code 2; the text says what to do."""


def default_by() -> str:
    """The login name of whoever runs the command."""
    return os.environ.get("OKAERI_BY") or os.environ.get("USER") or "cli"


def remember(data: Path | None, config: Path | None) -> None:
    """Let options win over the environment, for this process and its children."""
    if data is not None:
        os.environ["OKAERI_DATA"] = str(data.absolute())
    if config is not None:
        os.environ["OKAERI_CONFIG"] = str(config.absolute())


def open_runtime(data: Path | None, config: Path | None, *, migrate: bool = True) -> Runtime:
    """Open the installation: folders, logs, and the store brought up to date.

    Says so on standard error where the sample shop's documents stand in for the shop's own.
    """
    remember(data, config)
    settings = load_settings()
    log.configure(settings.log)
    # Who types a command reads its result; the service logs each call of a marketplace.
    logging.getLogger("connectors").setLevel(logging.WARNING)
    settings.data.mkdir(parents=True, exist_ok=True)
    if migrate:
        backups = settings.data.absolute() / "backups" if settings.backup else None
        upgrade(settings.store_url, backup_dir=backups)
    runtime = Runtime(settings)
    if migrate and is_sample(runtime.context().documents):
        words.print(SAMPLE_SHOP, markup=False)
    return runtime


def text_of(path: Path) -> str:
    """The text of a file. Raises Wrong when it is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise Wrong(f"{path}: not UTF-8. Save it as UTF-8.") from error


def day(text: str) -> date:
    """Read a date. Raises Wrong."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Wrong(f"{text!r} is no date. Write it as 2026-11-22.") from error


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {key: _plain(item) for key, item in asdict(value).items()}
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(_plain(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    return value


def to_json(value: Any, *, indent: int | None = None) -> str:
    """JSON of dataclasses, dates and enums; Japanese stays readable."""
    return json.dumps(_plain(value), ensure_ascii=False, indent=indent)


def tell(value: Any, *, as_json: bool, text: str) -> None:
    """Print the result: JSON on standard output, or words on standard error."""
    if as_json:
        typer.echo(to_json(value, indent=2))
    else:
        words.print(text, markup=False)


_PIPE_WIDTH = 200


def tell_rows(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool, empty: str
) -> None:
    """Print rows as JSON or as a table; ``empty`` is said when there are none."""
    if as_json:
        typer.echo(to_json(list(rows), indent=2))
        return
    if not rows:
        words.print(empty, markup=False)
        return
    table = Table(box=None, header_style="bold")
    for place, column in enumerate(columns):
        # The first column is what the next command asks for: it is never cut.
        table.add_column(column, no_wrap=place == 0)
    for row in rows:
        table.add_row(*(str(_plain(row.get(column, ""))) for column in columns))
    screen = Console(highlight=False)
    # Into a file or a pipe nothing is cut to fit a screen.
    screen.width = screen.width if screen.is_terminal else _PIPE_WIDTH
    screen.print(table)


def instant(text: str, runtime: Runtime) -> datetime:
    """Read a date or an instant; a date is 00:00 in the shop's zone. Raises Wrong."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Wrong(f"{text!r} is no date. Write it as 2026-11-22 or 2026-11-22T09:00.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=runtime.context().zone)


def now() -> datetime:
    """The present instant of this command."""
    return clock()
