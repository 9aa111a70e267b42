"""What is compared with what: one contest per line of the table."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from bench import bare, bare_rank, path
from bench.ledgers import Ledgers, opened
from bench.measure import Contest, Stopwatch
from bench.people import contests_of
from bench.sample import write_orders
from worker.mail.compose import Outgoing, compose, message_id_for
from worker.mail.placeholders import values
from worker.mail.render import Rendered, render
from worker.mail.samples import sample_facts
from worker.mail.texts import FolderSource, load_text, shipped_root

_Step = Callable[[sa.Engine, Stopwatch], int]
_DATE = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Size:
    """How much each contest does, and how often."""

    orders: int
    mails: int
    rounds: int
    customers: int


FULL = Size(orders=100_000, mails=1_000, rounds=3, customers=1_000_000)
QUICK = Size(orders=300, mails=30, rounds=1, customers=300)
"""Tells only that everything runs: at this size fixed costs are all there is."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What trials may use: a folder, a mail server, and a kind or two of databases."""

    folder: Path
    host: str
    port: int
    ledgers: tuple[Ledgers, ...]
    size: Size


def contests(stage: Stage) -> Iterator[Contest]:
    """Every contest, in the order of the path."""
    file = stage.folder / "orders.csv"
    for ledgers in stage.ledgers:
        filled = _Filled(ledgers, file, stage.size.orders)
        yield Contest(
            f"import, {ledgers.name}", "orders", filled.upsert, filled.take_in, aim=4, seconds=200
        )
        yield Contest(f"rank all, {ledgers.name}", "orders", filled.bare_rank, filled.rank, aim=2)
        yield Contest(
            f"rank all again, {ledgers.name}",
            "orders",
            filled.bare_rank_again,
            filled.rank_again,
            aim=2,
        )
        yield from contests_of(ledgers, stage.size.customers)
    for key in ("order_thanks/rakuten/repeat", "order_thanks/own/repeat"):
        yield _render(key, stage.size.mails)
    yield _dispatch(stage)


class _Filled:
    """One ledger with the whole sample history, made at the first need and copied for others."""

    def __init__(self, ledgers: Ledgers, file: Path, orders: int) -> None:
        self._ledgers, self._file, self._orders = ledgers, file, orders
        self._url = ""
        self._ranked = ""

    def _imported(self, watch: Stopwatch) -> int:
        if not self._file.exists():
            write_orders(self._file, self._orders)
        if self._url:
            self._ledgers.drop(self._url)
        self._url = self._ledgers.fresh()
        with opened(self._url) as engine:
            return path.take_in(engine, self._file, watch)

    def take_in(self, watch: Stopwatch) -> int:
        """Okaeri imports the file into an empty ledger."""
        return self._imported(watch)

    def upsert(self, watch: Stopwatch) -> int:
        """Every row that such an import leaves behind, written into an empty ledger."""
        target = self._ledgers.fresh()
        with opened(self._source()) as source, opened(target) as engine:
            bare.upsert(engine, bare.rows_of(source), watch)
        self._ledgers.drop(target)
        return self._orders

    def _source(self) -> str:
        if not self._url:
            self._imported(Stopwatch())
        return self._url

    def rank(self, watch: Stopwatch) -> int:
        """Okaeri ranks a ledger that was never ranked."""
        return self._on_copy(self._source(), path.rank_everybody, watch)

    def bare_rank(self, watch: Stopwatch) -> int:
        """The window query does."""
        return self._on_copy(self._source(), bare_rank.rank, watch)

    def rank_again(self, watch: Stopwatch) -> int:
        """Okaeri ranks everybody anew where nothing has changed."""
        return self._on_copy(self._after(path.rank_everybody), path.rank_everybody, watch)

    def bare_rank_again(self, watch: Stopwatch) -> int:
        """The window query overwrites the standings that stand there."""
        return self._on_copy(self._after(path.rank_everybody), bare_rank.rank, watch)

    def _after(self, step: _Step) -> str:
        if not self._ranked:
            self._ranked = self._ledgers.copy_of(self._source())
            with opened(self._ranked) as engine:
                step(engine, Stopwatch())
        return self._ranked

    def _on_copy(self, url: str, step: _Step, watch: Stopwatch) -> int:
        copy = self._ledgers.copy_of(url)
        with opened(copy) as engine:
            done = step(engine, watch)
        self._ledgers.drop(copy)
        return done


def _render(key: str, mails: int) -> Contest:
    """One shipped text, the same values on both sides; compiled once on both."""
    _, family, _ = key.split("/")
    text = load_text(FolderSource(shipped_root()), "ja", key)
    facts = values(sample_facts("ja", family), "ja")
    words = [dict(facts) for _ in range(mails)]

    def plain(watch: Stopwatch) -> int:
        return len(bare.render((text.subject, text.body_text, text.body_html), words, watch))

    def okaeri(watch: Stopwatch) -> int:
        with watch.running():
            for number, known in enumerate(words):
                mail = render(text, known)
                compose(_outgoing(number, family, mail))
        return len(words)

    what = "plain" if text.body_html is None else "text and HTML"
    return Contest(f"render, {what}", "mails", plain, okaeri, aim=2)


def _outgoing(number: int, family: str, mail: Rendered) -> Outgoing:
    return Outgoing(
        message_ref=str(number),
        message_id=message_id_for(str(number), 1, "okaeri.test"),
        from_address="shop@okaeri.test",
        to_address="customer@okaeri.test",
        subject=mail.subject,
        body_text=mail.body_text,
        body_html=mail.body_html,
        date=_DATE,
        family=family,
    )


def _dispatch(stage: Stage) -> Contest:
    """The same mails on both sides: thank-yous that went down the whole path before."""
    ledgers, numbers = stage.ledgers[0], itertools.count(1)
    ready = _Ready(ledgers, stage.folder / "mails", stage.size.mails)

    def plain(watch: Stopwatch) -> int:
        return bare.send(stage.host, stage.port, ready.mails(), stage.folder, watch)

    def okaeri(watch: Stopwatch) -> int:
        copy = ledgers.copy_of(ready.url())
        data = stage.folder / f"data-{next(numbers)}"
        with opened(copy, durable=True) as engine:
            done = path.send(engine, data, stage.host, stage.port, watch)
        ledgers.drop(copy)
        if done != len(ready.mails()):
            raise RuntimeError(f"of {len(ready.mails())} mails {done} were sent")
        return done

    # 80 % of the bare rate.
    return Contest("dispatch", "mails", plain, okaeri, aim=1.25)


class _Ready:
    """A ledger of approved mails and the same mails as bytes, made at the first need."""

    def __init__(self, ledgers: Ledgers, folder: Path, number: int) -> None:
        self._ledgers, self._folder, self._number = ledgers, folder, number
        self._url = ""
        self._mails: list[bytes] = []

    def url(self) -> str:
        """The ledger; to be copied, not to be written."""
        if not self._url:
            self._folder.mkdir()
            self._url = self._ledgers.fresh()
            with opened(self._url) as engine:
                path.write_mails(engine, self._folder, self._number)
                self._mails = path.bytes_of(engine)
        return self._url

    def mails(self) -> list[bytes]:
        """The mails as they go over the wire."""
        self.url()
        return self._mails
