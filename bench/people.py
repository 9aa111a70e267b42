"""The desk's customers at the size of a large shop: pages of the list and searches."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from bench.ledgers import Ledgers, opened
from bench.measure import Contest, Stopwatch
from bench.path import NOW, shop
from worker.rules.finding import KANA_ROWS, keys_of_profile
from worker.store.engine import reading, writing
from worker.store.list_queries import Sort, Wanted, lines_of, page
from worker.store.schema import all_tables
from worker.store.search_queries import find_customers

_CHUNK = 10_000
_KANA = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロ"
_SORTS: tuple[Sort, ...] = ("last", "visits", "spend", "kana")
_LINES = 50


def contests_of(ledgers: Ledgers, customers: int) -> Iterator[Contest]:
    """A page of the list and a search; a hundred milliseconds are ten in a second."""
    filled = _Filled(ledgers, customers)
    yield Contest(f"customers, {ledgers.name}", "pages", filled.bare, filled.pages, aim=20)
    yield Contest(f"search, {ledgers.name}", "searches", filled.bare, filled.searches, aim=20)


def _wanted() -> list[Wanted]:
    plain = [Wanted(sort=sort) for sort in _SORTS]
    ranks = [Wanted(sort=sort, rank="vip") for sort in _SORTS]
    rows = [Wanted(sort=sort, row=row) for sort in ("kana", "spend") for row in KANA_ROWS]
    others = [
        Wanted(bucket="guest", sort="visits"),
        Wanted(noted=True),
        Wanted(silent_since=NOW - timedelta(days=365), sort="spend"),
    ]
    return [*plain, *ranks, *rows, *others]


class _Filled:
    """One ledger of invented people, made at the first need."""

    def __init__(self, ledgers: Ledgers, customers: int) -> None:
        self._ledgers, self._customers, self._url = ledgers, customers, ""

    def _source(self) -> str:
        if not self._url:
            self._url = self._ledgers.fresh()
            with opened(self._url) as engine:
                _fill(engine, self._customers)
        return self._url

    def bare(self, watch: Stopwatch) -> int:
        """The rows of a page by their ids: what any list must read at least."""
        dice, rounds = random.Random(7), 100
        with opened(self._source()) as engine, reading(engine) as session:
            for _ in range(rounds):
                first = dice.randrange(1, max(2, self._customers - _LINES))
                ids = list(range(first, min(first + _LINES, self._customers + 1)))
                with watch.running():
                    lines_of(session, ids)
        return rounds

    def pages(self, watch: Stopwatch) -> int:
        """The first and the second page of every filter and order."""
        done = 0
        with opened(self._source()) as engine:
            for wanted in _wanted():
                with reading(engine) as session, watch.running():
                    first = page(session, wanted)
                    page(session, wanted, after=first.after)
                done += 2
        return done

    def searches(self, watch: Stopwatch) -> int:
        """Whole numbers, last digits, readings and names."""
        words = ("090", "12345678", "4321", "アカ", "サシス", "山 1", "山 77", "x@example.com")
        key, done = shop().key, 0
        with opened(self._source()) as engine:
            for one in words * 5:
                with reading(engine) as session, watch.running():
                    lines_of(session, find_customers(session, key, one))
                done += 1
        return done


def _fill(engine: sa.Engine, customers: int) -> None:
    dice = random.Random(1)
    tables = all_tables().tables
    for start in range(1, customers + 1, _CHUNK):
        numbers = range(start, min(start + _CHUNK, customers + 1))
        people = [_person(number, dice) for number in numbers]
        with writing(engine) as session:
            for name in ("customers", "customer_profiles", "customer_standings"):
                session.execute(tables[name].insert(), [row[name] for row in people])
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("VACUUM ANALYZE"))


def _person(number: int, dice: random.Random) -> dict[str, dict[str, Any]]:
    visits = min(60, int(dice.expovariate(0.9)) + 1)
    told = {
        "name": f"山 {number}",
        "kana": "".join(dice.choices(_KANA, k=6)) if dice.random() < 0.9 else None,
        "phone": f"090{dice.randrange(10**8):08}",
    }
    profile = {
        "customer_id": number,
        **told,
        "email": f"person{number}@example.com",
        "postal_code": "100-0001",
        "address": "東京都千代田区千代田1-1",
        **keys_of_profile(told, member=dice.random() < 0.7),
    }
    standing = {
        "customer_id": number,
        "scope": "*",
        "rank": "first" if visits == 1 else "vip" if visits > 5 else "repeat",
        "count": visits,
        "visits": visits,
        "net_spend": visits * dice.randrange(2000, 9000),
        "last_order_at": NOW - timedelta(minutes=dice.randrange(60 * 24 * 900)),
        "certainty": "proved",
        "facts": {},
        "ladder": "",
    }
    return {
        "customers": {
            "id": number,
            "identity_unsure": False,
            "rank_due": False,
            "plan_due": False,
            "created_at": NOW,
        },
        "customer_profiles": profile,
        "customer_standings": standing,
    }
