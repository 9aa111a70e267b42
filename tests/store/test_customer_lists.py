"""Pages of customers: every order, every filter, no one twice and no one missing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from tests.factories import NOW
from worker.rules.finding import KANA_ROWS, keys_of_profile
from worker.rules.states import Certainty, NoteState
from worker.store import list_queries, search_queries
from worker.store.customers import ContactNote, Customer, CustomerProfile, CustomerStanding
from worker.store.engine import writing
from worker.store.list_queries import Sort, UnknownCursor, Wanted

_KANA = "アカサタナハマヤラワ"
_RANKS = ("first", "repeat", "vip", None)


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with writing(engine) as opened:
        yield opened


def people(session: Session, number: int) -> list[CustomerStanding]:
    """Invented people with few different values, so that ties are many."""
    dice = random.Random(5)
    made = []
    for place in range(number):
        customer = Customer(created_at=NOW, rank_due=False, plan_due=False)
        session.add(customer)
        session.flush()
        kana = dice.choice(_KANA) * 2 if place % 7 else None
        row = {"name": f"人{place}", "kana": kana, "phone": f"090-0000-{place:04}"}
        keys = keys_of_profile(row, member=place % 3 > 0)
        session.add(CustomerProfile(customer_id=customer.id, **row, **keys))
        visits = dice.randrange(4)
        standing = CustomerStanding(
            customer_id=customer.id,
            scope="*",
            rank=dice.choice(_RANKS),
            count=visits,
            visits=visits,
            net_spend=dice.randrange(3) * 1000,
            last_order_at=NOW - timedelta(days=dice.randrange(5) * 40) if visits else None,
            certainty=Certainty.PROVED,
        )
        session.add(standing)
        if place % 11 == 0:
            note = ContactNote(
                customer_id=customer.id, said="x", state=NoteState.OPEN, by="m", at=NOW
            )
            session.add(note)
        made.append(standing)
    session.flush()
    return made


def walk(session: Session, wanted: Wanted, limit: int) -> list[int]:
    found: list[int] = []
    after = ""
    while True:
        page = list_queries.page(session, wanted, after=after, limit=limit)
        found += [row["customer_id"] for row in page.lines]
        after = page.after
        if not after:
            return found


def expected(session: Session, wanted: Wanted) -> list[int]:
    """The slow way: everybody, filtered and sorted in memory."""
    found = []
    for standing in session.query(CustomerStanding).filter_by(scope=wanted.scope):
        profile = session.get_one(CustomerProfile, standing.customer_id)
        last = standing.last_order_at
        row = KANA_ROWS.get(wanted.row, ("", "\U0010ffff\U0010ffff"))
        noted = session.query(ContactNote).filter_by(customer_id=standing.customer_id).count()
        if (
            (not wanted.rank or standing.rank == wanted.rank)
            and row[0] <= profile.kana_key < row[1]
            and (not wanted.bucket or profile.is_member == (wanted.bucket == "member"))
            and (wanted.silent_since is None or (last and last <= wanted.silent_since))
            and (not wanted.noted or noted)
        ):
            found.append((standing, profile))
    if wanted.sort == "kana":
        found.sort(key=lambda pair: (pair[1].kana_key, pair[0].customer_id))
        return [standing.customer_id for standing, _ in found]
    name = {"visits": "visits", "spend": "net_spend", "last": "last_order_at"}[wanted.sort]

    def key(pair: tuple[CustomerStanding, CustomerProfile]) -> tuple[bool, object, int]:
        value = getattr(pair[0], name)
        return value is not None, value if value is not None else 0, pair[0].customer_id

    found.sort(key=key, reverse=True)
    return [standing.customer_id for standing, _ in found]


FILTERS = (
    Wanted(),
    Wanted(rank="vip"),
    Wanted(row="ka"),
    Wanted(row="other"),
    Wanted(bucket="guest"),
    Wanted(bucket="member", rank="first"),
    Wanted(silent_since=NOW - timedelta(days=80)),
    Wanted(noted=True),
    Wanted(rank="nobody"),
)
SORTS: tuple[Sort, ...] = ("last", "visits", "spend", "kana")


@pytest.mark.parametrize("few", [0, 2000])
def test_pages_are_the_slow_way_cut_in_pieces(
    session: Session, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    people(session, 90)
    # With 0 nothing counts as few: everything is walked by index; steps are short, so they join.
    monkeypatch.setattr(list_queries, "SMALL", few or 5)
    monkeypatch.setattr(list_queries, "_STEP", 7)
    if not few:
        monkeypatch.setattr(list_queries, "_few", lambda *_: None)
    for wanted, sort in product(FILTERS, SORTS):
        one = replace(wanted, sort=sort)
        assert walk(session, one, 7) == expected(session, one), one


def test_who_was_merged_away_is_not_listed(session: Session) -> None:
    kept, gone = (standing.customer_id for standing in people(session, 2))
    session.get_one(Customer, gone).merged_into = kept
    session.flush()
    assert walk(session, Wanted(sort="visits"), 10) == [kept]
    assert walk(session, Wanted(sort="kana"), 10) == [kept]


def test_a_cursor_that_no_page_gave_is_refused(session: Session) -> None:
    odd: tuple[tuple[Sort, str], ...] = (
        *(("visits", "1:x"), ("last", "1:noon")),
        *(("kana", "x:ア"), ("spend", "1:")),
    )
    for sort, after in odd:
        with pytest.raises(UnknownCursor):
            list_queries.page(session, Wanted(sort=sort), after=after)


def test_a_number_is_found_whole_from_the_front_and_by_its_end(session: Session) -> None:
    ids = [standing.customer_id for standing in people(session, 30)]
    assert search_queries.find_customers(session, b"k", "０９０-0000-0012") == [ids[12]]
    assert search_queries.find_customers(session, b"k", "0012") == [ids[12]]
    assert search_queries.find_customers(session, b"k", "0900000") == ids
    assert search_queries.find_customers(session, b"k", "12") == []
    assert len(search_queries.find_customers(session, b"k", "0900000", limit=5)) == 5


def test_a_reading_is_found_however_it_is_written(session: Session) -> None:
    (standing,) = people(session, 1)
    profile = session.get_one(CustomerProfile, standing.customer_id)
    row = {"name": "髙橋 美咲", "kana": "タカハシ ミサキ", "phone": None}
    for name, value in keys_of_profile(row, member=False).items():
        setattr(profile, name, value)
    session.flush()
    for words in ("たかはし", "ﾀｶﾊｼ", "タガハシ みさき", "高橋", "髙橋美", " 高橋　美咲 "):
        assert search_queries.find_customers(session, b"k", words) == [standing.customer_id], words
    for words in ("はし", "美咲", "%", ""):
        assert search_queries.find_customers(session, b"k", words) == [], words


def test_a_search_leads_to_who_was_kept_once(session: Session) -> None:
    kept, gone = (standing.customer_id for standing in people(session, 2))
    session.get_one(Customer, gone).merged_into = kept
    session.flush()
    assert search_queries.find_customers(session, b"k", "0900000") == [kept]
    lines = list_queries.lines_of(session, [kept, gone])
    assert [line["customer_id"] for line in lines] == [kept]
