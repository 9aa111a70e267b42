"""The command `okaeri channels backfill`: a channel's past, with progress and time left."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from worker.backfill import Backfilled, backfill
from worker.backfill import Progress as Gone
from worker.cli.imports import settle
from worker.cli.opening import (
    AsJson,
    Config,
    Data,
    Findings,
    instant,
    now,
    open_runtime,
    tell,
    words,
)
from worker.runtime import Runtime

_LONGEST_WAIT = 3600.0
"""Seconds that the command waits for the source; after a longer wait it is started again."""


def backfill_command(
    channel: Annotated[str, typer.Argument(help="A live channel, e.g. rakuten:main.")],
    since: Annotated[str, typer.Option(help="Date; none: as far back as the source tells.")] = "",
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Read the past of a channel. No mail is planned from it; it can be stopped and goes on."""
    runtime = open_runtime(data, config)
    begin = instant(since, runtime) if since else None
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(),
        TextColumn("{task.fields[told]}"), console=words, disable=as_json, transient=True,
    )  # fmt: skip
    with bar:
        line = bar.add_task(f"{channel} 過去の受注 / past orders", total=1.0, told="")

        def show(gone: Gone) -> None:
            bar.update(line, completed=gone.part, told=_left(gone))

        done = backfill(runtime, channel, now(), since=begin, tell=show)
        while (wait := _wait(done)) is not None:
            bar.update(line, told=f"{done.problem} ({wait:.0f} s)")
            time.sleep(wait)
            done = backfill(runtime, channel, now(), since=begin, tell=show)
    _end(runtime, channel, done, as_json=as_json)


def _wait(done: Backfilled) -> float | None:
    if done.retry_at is None:
        return None
    seconds = max(1.0, (done.retry_at - now()).total_seconds())
    return seconds if seconds <= _LONGEST_WAIT else None


def _left(gone: Gone) -> str:
    pages = f"{gone.pages} ページ / pages"
    if gone.seconds_left is None:
        return pages
    minutes, seconds = divmod(int(gone.seconds_left), 60)
    return f"{pages}  残り / left {minutes}:{seconds:02d}"


def _end(runtime: Runtime, channel: str, done: Backfilled, *, as_json: bool) -> None:
    settle(runtime)
    if done.busy:
        text = "別の取込が動いています / another backfill of this channel is running"
    elif done.finished and done.span:
        text = (
            f"{channel}: {done.span.since:%Y-%m-%d} 以降を取り込みました / is complete since then"
        )
    else:
        again = "もう一度実行すると続きから始まります / run it again to go on"
        text = f"{channel}: {done.problem}\n{again}"
    tell(done, as_json=as_json, text=text)
    if not done.finished:
        raise Findings
