"""`make bench`: prints speed as ratios against the bare limit of this machine."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import peer
from bench.contests import FULL, QUICK, Size, Stage, contests
from bench.ledgers import Ledgers, PostgresLedgers, SqliteLedgers
from bench.measure import Result, compare, row
from tests.databases import find_server
from tests.processes import Processes
from tests.sessions import close_session, open_session

_HEADINGS = ("what", "unit", "rounds", "bare /s", "Okaeri /s", "takes", "aim")


@contextmanager
def _stage(size: Size) -> Iterator[Stage]:
    """Folder, mail server and databases for all trials; gone at the end."""
    open_session()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="okaeri-bench-") as name,
            ExitStack() as stack,
        ):
            folder = Path(name)
            processes = Processes(folder)
            stack.callback(processes.end_all)
            sink = processes.python("bench.sink")
            sink.until_says("\n")
            ledgers = tuple(_ledgers(folder, stack))
            yield Stage(folder, "127.0.0.1", int(sink.words()), ledgers, size)
    finally:
        close_session()


def _ledgers(folder: Path, stack: ExitStack) -> Iterator[Ledgers]:
    yield SqliteLedgers(folder)
    server = find_server()
    if server is not None:
        yield PostgresLedgers(server, stack)


def _print(results: Sequence[Result], orders: int, words: Console) -> None:
    table = Table(
        *_HEADINGS, title=f"{orders:,} orders; medians of rounds, both sides in the same run"
    )
    for column in table.columns[2:]:
        column.justify = "right"
    for result in results:
        table.add_row(*row(result))
    words.print(table)


def _print_peer(stage: Stage, words: Console) -> None:
    try:
        rates = peer.send(peer.prepare(), stage.host, stage.port, stage.size.mails)
    except peer.PeerAbsent as absent:
        words.print(f"Peer skipped: {absent}")
        return
    words.print(
        f"django-post-office, same sink: queues {rates['queue']:,.0f} mails/s, "
        f"sends {rates['send']:,.0f} mails/s"
    )


def _sized(options: argparse.Namespace) -> Size:
    return replace(FULL, orders=options.orders, customers=options.customers)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the contests whose name holds one of the given words, or all; gives the exit code."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("words", nargs="*", help="only contests whose name holds one of these")
    parser.add_argument("--quick", action="store_true", help="tiny: only see that it runs")
    parser.add_argument("--orders", type=int, default=FULL.orders, metavar="N")
    parser.add_argument("--customers", type=int, default=FULL.customers, metavar="N")
    options = parser.parse_args(arguments)
    words = Console(width=110)
    size = QUICK if options.quick else _sized(options)
    with _stage(size) as stage:
        if len(stage.ledgers) == 1:
            words.print("PostgreSQL is absent: install it or set TEST_DATABASE_URL.")
        results = []
        for contest in contests(stage):
            if not options.words or any(word in contest.name for word in options.words):
                words.print(f"{contest.name} ...", style="dim", end=" ")
                results.append(compare(contest, size.rounds))
                words.print(row(results[-1])[5], style="dim")
        _print(results, size.orders, words)
        if not options.quick and (not options.words or "dispatch" in options.words):
            _print_peer(stage, words)
    return 0


if __name__ == "__main__":
    sys.exit(main())
