"""The commands `okaeri channels export` and `apply`: channels as a file under version control."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from worker.cli.credentials import read_sources
from worker.cli.imports import settle
from worker.cli.opening import (
    AsJson,
    By,
    Config,
    Data,
    Wrong,
    default_by,
    now,
    open_runtime,
    tell,
    text_of,
    words,
)
from worker.live import keyring
from worker.pipeline.channel_declared import Change, apply, changes, declared, problems_of
from worker.pipeline.channel_names import find_channel
from worker.pipeline.plan import count_if_active_from
from worker.polling import mark_customers_due
from worker.rules.states import MailKind
from worker.runtime import Runtime

_HEAD = """\
# チャネルの設定。鍵は書き出しません。credentials には env:変数名 か file:パス を書きます。
# Channels. Secrets are never written; under credentials write env:VARIABLE or file:PATH.
"""
_EARLIER = "これより前の注文にもメールの予定ができます / mails would look further back:"


def export_command(
    file: Annotated[Path | None, typer.Argument(help="TOML; none: standard output.")] = None,
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Write all channels down, without any secret."""
    runtime = open_runtime(data, config)
    with runtime.look() as session:
        found = declared(session)
    if as_json:
        tell(found, as_json=True, text="")
        return
    text = to_toml(found)
    if file is None:
        typer.echo(text, nl=False)
    else:
        file.write_text(text, encoding="utf-8")


def apply_command(
    file: Annotated[Path, typer.Argument(help="TOML as `channels export` writes it.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Also where mails would look further back.")
    ] = False,
    by: By = "",
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Make the channels be as the file says. Channels that it does not name stay as they are."""
    runtime = open_runtime(data, config)
    told = _read(file)
    with runtime.look() as session:
        found = changes(session, told)
        earlier = [line for each in found for line in _counted(session, runtime, each, told)]
    if earlier and not yes and not dry_run:
        raise Wrong("\n".join([_EARLIER, *earlier, "--yes で続けます / say --yes to go on"]))
    for line in earlier:
        words.print(line, markup=False)
    if not dry_run:
        secrets = {name: _secrets(each) for name, each in told.items()}
        with runtime.transaction() as session:
            apply(
                session, runtime.context(), keyring(runtime), told, secrets,
                by or default_by(), now(),
            )  # fmt: skip
        mark_customers_due(runtime)
        settle(runtime)
    tell(found, as_json=as_json, text=_words(found, dry_run=dry_run))


def _counted(
    session: Session, runtime: Runtime, change: Change, told: Mapping[str, Any]
) -> list[str]:
    """How many mails each kind would make that would look further back (P8)."""
    lines = []
    for kind in change.opens_earlier:
        channel = find_channel(session, change.channel)
        if channel is not None:
            start = told[change.channel]["active_from"][kind]
            count = count_if_active_from(
                session, runtime.context(), channel, MailKind(kind), start, now()
            )
            lines.append(f"{change.channel} {kind}: {count.messages} 通 / mails")
    return lines


def _read(file: Path) -> dict[str, dict[str, Any]]:
    if not file.is_file():
        raise Wrong(f"{file}: ファイルがありません / no such file.")
    try:
        told = tomllib.loads(text_of(file))
    except tomllib.TOMLDecodeError as error:
        raise Wrong(f"{file}: {error}") from error
    channels = told.get("channels")
    if not isinstance(channels, dict) or told.keys() - {"channels"}:
        raise Wrong(f'{file}: write tables [channels."family:name"] and nothing else.')
    problems = problems_of(channels)
    if problems:
        raise Wrong("\n".join(f"{file}: {problem}" for problem in problems))
    return channels


def _secrets(told: Mapping[str, Any]) -> dict[str, str]:
    sources = dict(told.get("credentials", {}))
    return read_sources({name: source for name, source in sources.items() if source})


def _words(found: list[Change], *, dry_run: bool) -> str:
    if not found:
        return "変更はありません / nothing to change"
    head = "変更される点 / would change:" if dry_run else "変更しました / changed:"
    lines = [
        f"{each.channel}: {'新規 / new' if each.made else ', '.join(each.fields)}" for each in found
    ]
    return "\n".join([head, *lines])


def to_toml(channels: Mapping[str, Mapping[str, Any]]) -> str:
    """The channels as TOML, one table each."""
    parts = [_HEAD]
    for name, told in channels.items():
        table = f"channels.{_quoted(name)}"
        plain = {key: value for key, value in told.items() if not isinstance(value, dict)}
        parts.append(_table(table, plain))
        parts += [
            _table(f"{table}.{key}", value)
            for key, value in told.items()
            if isinstance(value, dict) and value
        ]
    return "\n".join(parts)


def _table(name: str, values: Mapping[str, Any]) -> str:
    lines = [f"{_key(key)} = {_value(value)}\n" for key, value in values.items()]
    return f"[{name}]\n{''.join(lines)}"


def _key(key: str) -> str:
    bare = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if bare else _quoted(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(str(key))} = {_value(each)}" for key, each in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(each) for each in value)}]"
    return _quoted(str(value))


def _quoted(text: str) -> str:
    # JSON's escapes are TOML's; only DEL must not stand bare.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
