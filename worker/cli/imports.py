"""Commands that take orders in from files: import, imports, quarantine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from worker.advance import advance, coupons, render
from worker.cli.import_words import import_words, replay_words, undo_words
from worker.cli.opening import (
    AsJson,
    By,
    Config,
    Data,
    Findings,
    Wrong,
    default_by,
    instant,
    now,
    open_runtime,
    tell,
    tell_rows,
    words,
)
from worker.pipeline import quarantine
from worker.pipeline.imports import ImportReport, import_file, list_imports, undo_import
from worker.polling import own_profiles
from worker.runtime import Runtime

imports_app = typer.Typer(help="取込の一覧と取り消し / Imports: list, undo.", no_args_is_help=True)
quarantine_app = typer.Typer(
    help="取込できなかった受注 / Quarantine: list, fix, replay, dismiss.", no_args_is_help=True
)


def import_command(
    file: Annotated[Path, typer.Argument(help="CSV, TSV, XLSX, XLS or gzip.")],
    channel: Annotated[str, typer.Option(help="e.g. own:main or rakuten:main.")] = "",
    profile: Annotated[str, typer.Option(help="Profile; else told by the header.")] = "",
    encoding: Annotated[str, typer.Option(help="Encoding; else found strictly.")] = "",
    sheet: Annotated[str, typer.Option(help="Sheet of a workbook.")] = "",
    items: Annotated[Path | None, typer.Option(help="Item file (Yahoo!).")] = None,
    active_from: Annotated[str, typer.Option(help="Mail orders from this date on.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would happen.")] = False,
    by: By = "",
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Take an order file in. Without --active-from nothing is planned from it."""
    runtime = open_runtime(data, config)
    if not file.is_file():
        raise Wrong(f"{file}: ファイルがありません / no such file.")
    report = _import(
        runtime, file, channel=channel or None, profile=profile or None,
        encoding=encoding or None, sheet=sheet or None, companion=items,
        active_from=instant(active_from, runtime) if active_from else None,
        dry_run=dry_run, by=by or default_by(), quiet=as_json,
    )  # fmt: skip
    if not dry_run:
        settle(runtime)
    tell(report, as_json=as_json, text=import_words(report))
    if report.rejected:
        raise Findings


def _import(runtime: Runtime, file: Path, *, quiet: bool, **options: Any) -> ImportReport:
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"),
        TimeRemainingColumn(), console=words, disable=quiet, transient=True,
    )  # fmt: skip
    with bar:
        line = bar.add_task("取込中 / importing", total=None)
        return import_file(
            runtime.transaction,
            runtime.context(),
            file,
            now=now(),
            profiles=own_profiles(runtime.settings),
            progress=lambda done, total: bar.update(line, completed=done, total=total),
            **options,
        )


def settle(runtime: Runtime) -> None:
    """Number, rank and plan what came in; a running service does the same by itself."""
    done = advance(runtime, now(), budget_seconds=3600.0)
    if done.busy:
        words.print(
            "計算は動いているサービスが続けます / the running service goes on with it", markup=False
        )
        return
    coupons(runtime, now())
    if render(runtime, now()):
        coupons(runtime, now())


@imports_app.command("list")
def imports_list(data: Data = None, config: Config = None, as_json: AsJson = False) -> None:
    """List imports, newest first."""
    runtime = open_runtime(data, config)
    with runtime.look() as session:
        rows = [
            {
                "id": row.id,
                "file": row.file_name,
                "profile": row.profile,
                "state": row.state,
                "started_at": row.started_at,
                **row.counts,
            }
            for row in list_imports(session)
        ]
    columns = ["id", "file", "profile", "state", "new", "changed", "unchanged", "rejected"]
    tell_rows(rows, columns, as_json=as_json, empty="まだ取込がありません / no imports yet")


@imports_app.command("undo")
def imports_undo(
    import_id: int, by: By = "", data: Data = None, config: Config = None, as_json: AsJson = False
) -> None:
    """Take an import back: earlier revisions return, mails waiting on it are cancelled."""
    runtime = open_runtime(data, config)
    with runtime.transaction() as session:
        report = undo_import(session, runtime.context(), import_id, now(), by or default_by())
    settle(runtime)
    tell(report, as_json=as_json, text=undo_words(report))
    if report.sent_messages:
        raise Findings


@quarantine_app.command("list")
def quarantine_list(data: Data = None, config: Config = None, as_json: AsJson = False) -> None:
    """List what could not become an order, with the reason."""
    runtime = open_runtime(data, config)
    with runtime.look() as session:
        rows = [
            {
                "id": row.id,
                "position": row.position,
                "order": row.external_id,
                "code": row.code,
                "field": row.field_name,
                "reason": row.reason_ja or row.reason,
                "reason_en": row.reason,
            }
            for row in quarantine.list_open(session)
        ]
    columns = ["id", "position", "order", "field", "reason"]
    tell_rows(rows, columns, as_json=as_json, empty="取込できなかった受注はありません / none")
    if rows:
        raise Findings


@quarantine_app.command("fix")
def quarantine_fix(
    quarantine_id: int,
    change: Annotated[list[str], typer.Option("--set", help="column=value, several times.")],
    by: By = "",
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Correct cells of a quarantined record and take it in."""
    changes = dict(_pair(item) for item in change)
    runtime = open_runtime(data, config)
    with runtime.transaction() as session:
        result = quarantine.fix(
            session, runtime.context(), quarantine_id, changes, by or default_by(), now(),
            profiles=own_profiles(runtime.settings),
        )  # fmt: skip
    settle(runtime)
    _tell_replay(result, as_json)


@quarantine_app.command("replay")
def quarantine_replay(
    ids: Annotated[list[int] | None, typer.Argument(help="Ids; none: all open ones.")] = None,
    by: By = "",
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Map quarantined records again, after a profile or the software was mended."""
    runtime = open_runtime(data, config)
    with runtime.transaction() as session:
        result = quarantine.replay(
            session, runtime.context(), ids or "all", by or default_by(), now(),
            profiles=own_profiles(runtime.settings),
        )  # fmt: skip
    settle(runtime)
    _tell_replay(result, as_json)


@quarantine_app.command("dismiss")
def quarantine_dismiss(
    ids: list[int], by: By = "", data: Data = None, config: Config = None
) -> None:
    """Leave records out for good; they stay on record."""
    runtime = open_runtime(data, config)
    with runtime.transaction() as session:
        quarantine.dismiss(session, ids, by or default_by(), now())


def _tell_replay(result: quarantine.ReplayReport, as_json: bool) -> None:
    tell(result, as_json=as_json, text=replay_words(result))
    if result.failed:
        raise Findings


def _pair(item: str) -> tuple[str, str]:
    key, separator, value = item.partition("=")
    if not separator:
        raise Wrong(f"--set {item!r}: write it as column=value.")
    return key, value
