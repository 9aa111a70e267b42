"""`make bench`: prints speed as ratios against the bare limit of this machine."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import peer
from bench.contests import MAILS, Stage, contests
from bench.measure import Result, compare, row
from tests.databases import find_server
from tests.processes import Processes
from tests.sessions import close_session, open_session

_HEADINGS = ("what", "unit", "bare /s", "Okaeri /s", "takes", "aim")


@contextmanager
def _stage() -> Iterator[Stage]:
    """Folder, mail server and database server for all trials; gone at the end."""
    open_session()
    try:
        with tempfile.TemporaryDirectory(prefix="okaeri-bench-") as name:
            folder = Path(name)
            processes = Processes(folder)
            sink = processes.python("bench.sink")
            sink.until_says("\n")
            try:
                yield Stage(folder, "127.0.0.1", int(sink.words()), find_server())
            finally:
                processes.end_all()
    finally:
        close_session()


def _print(results: Sequence[Result], words: Console) -> None:
    table = Table(*_HEADINGS, title="Median of three rounds, both sides in the same run")
    for column in table.columns[2:]:
        column.justify = "right"
    for result in results:
        table.add_row(*row(result))
    words.print(table)


def _print_peer(stage: Stage, words: Console) -> None:
    try:
        rates = peer.send(peer.prepare(), stage.host, stage.port, MAILS)
    except peer.PeerAbsent as absent:
        words.print(f"Peer skipped: {absent}")
        return
    words.print(
        f"django-post-office, same sink: queues {rates['queue']:,.0f} mails/s, "
        f"sends {rates['send']:,.0f} mails/s"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the contests whose name holds one of the given words, or all; gives the exit code."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("words", nargs="*", help="only contests whose name holds one of these")
    options = parser.parse_args(arguments)
    words = Console(width=110)
    with _stage() as stage:
        results = []
        for contest in contests(stage):
            if not options.words or any(word in contest.name for word in options.words):
                words.print(f"{contest.name} ...", style="dim")
                results.append(compare(contest))
        _print(results, words)
        if not options.words or "dispatch" in options.words:
            _print_peer(stage, words)
    return 0


if __name__ == "__main__":
    sys.exit(main())
