"""The bare limit does the same work as Okaeri, or its ratios would mean nothing."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path

import pytest
import sqlalchemy as sa
from jinja2 import UndefinedError

from bench import bare, bare_rank, path
from bench.measure import Contest, Result, Stopwatch, compare, row
from bench.sample import write_orders
from tests.factories import NOW, make_channel, make_customer, make_order_row
from tests.mailboxes import MailServer
from tests.processes import Processes
from worker.store.engine import writing
from worker.store.schema import all_tables


def _fill(engine: sa.Engine) -> None:
    """Two scopes, a tie by time, two orders on one day, one that does not count."""
    with writing(engine) as session:
        own, other = make_channel(session, "own:shop"), make_channel(session, "rakuten:main")
        person = make_customer(session)
        for channel, number, days, counting in (
            (own, "B", 0, True),
            (own, "A", 0, True),
            (own, "C", 3, True),
            (own, "D", 4, False),
            (other, "E", 1, True),
        ):
            at = NOW + timedelta(days=days)
            make_order_row(
                session, channel, person, number=number, ordered_at=at, counting=counting
            )


def test_an_upsert_of_all_rows_makes_an_equal_store_and_a_second_one_changes_nothing(
    engine: sa.Engine, sqlite_url: str, tmp_path: Path
) -> None:
    _fill(engine)
    rows = list(bare.rows_of(engine))
    copy = sa.create_engine(f"sqlite:///{tmp_path / 'copy.db'}")
    all_tables().create_all(copy)
    for _ in range(2):
        bare.upsert(copy, rows, Stopwatch())
        assert list(bare.rows_of(copy)) == rows
    copy.dispose()


def test_the_window_query_numbers_by_time_then_number_and_visits_by_day(engine: sa.Engine) -> None:
    _fill(engine)
    assert bare_rank.rank(engine, Stopwatch()) == 5
    assert bare_rank.rank(engine, Stopwatch()) == 5
    with engine.connect() as connection:
        stored = connection.execute(
            sa.text(
                "SELECT o.number, s.scope, s.ordinal, s.visit_number, s.ordinal_overall, s.rank "
                "FROM order_standings AS s JOIN orders AS o ON o.id = s.order_id ORDER BY o.number"
            )
        )
        assert [tuple(line) for line in stored] == [
            ("A", "own", 1, 1, 1, "first"),
            ("B", "own", 2, 1, 2, "first"),
            ("C", "own", 3, 2, 4, "repeat"),
            ("D", "own", None, None, None, None),
            ("E", "rakuten:main", 1, 1, 3, "first"),
        ]


def test_the_window_query_leaves_the_standings_that_okaeri_leaves(
    engine: sa.Engine, tmp_path: Path
) -> None:
    write_orders(tmp_path / "orders.csv", 400)
    assert path.take_in(engine, tmp_path / "orders.csv", Stopwatch()) == 400
    assert path.rank_everybody(engine, Stopwatch()) == 400
    ours = _standings(engine)
    assert bare_rank.rank(engine, Stopwatch()) == 400
    assert _standings(engine) == ours


def _standings(engine: sa.Engine) -> list[list[tuple[object, ...]]]:
    """All but what the bare query does not know: certainty, and what time has taken away."""
    orders = (
        "SELECT order_id, customer_id, scope, ordinal, visit_number, ordinal_overall, rank "
        "FROM order_standings ORDER BY order_id"
    )
    customers = (
        "SELECT customer_id, scope, count, visits, net_spend, first_order_at, last_order_at "
        "FROM customer_standings WHERE count > 0 ORDER BY customer_id, scope"
    )
    with engine.connect() as connection:
        return [
            [tuple(row) for row in connection.exec_driver_sql(query)]
            for query in (orders, customers)
        ]


def test_every_contest_runs_at_a_tiny_size(processes: Processes) -> None:
    bench = processes.python("bench", "--quick")
    assert bench.wait(180) == 0, bench.words()
    for name in ("import, SQLite", "rank all, SQLite", "render, plain", "dispatch"):
        (line,) = [at for at in bench.words().splitlines() if at.startswith(f"│ {name} ")]
        *_, ratio, aim, _ = (cell.strip() for cell in line.split("│"))
        assert ratio.endswith("x")
        assert aim.endswith("x")


def test_a_bare_mail_holds_the_rendered_text_and_a_missing_value_is_an_error() -> None:
    sources = ("注文 {{ n }}", "{{ name }} 様", None)
    (mail,) = bare.render(sources, [{"n": 1, "name": "佐藤"}], Stopwatch())
    body = message_from_bytes(mail).get_payload(decode=True)
    assert isinstance(body, bytes)
    assert body.decode() == "佐藤 様"
    with pytest.raises(UndefinedError):
        bare.render(sources, [{"n": 1}], Stopwatch())


def test_a_bare_mail_of_two_parts_escapes_its_html() -> None:
    sources = ("x", "{{ name }}", "<b>{{ name }}</b>")
    (mail,) = bare.render(sources, [{"name": "A&B"}], Stopwatch())
    parts = [part.get_payload(decode=True) for part in message_from_bytes(mail).walk()]
    assert parts == [None, b"A&B", b"<b>A&amp;B</b>"]


def test_the_bare_loop_sends_each_mail_once(mail_server: MailServer, tmp_path: Path) -> None:
    mails = [f"Message-ID: <{n}@okaeri.test>\r\n\r\nx\r\n".encode() for n in range(3)]
    watch = Stopwatch()
    assert bare.send(mail_server.host, mail_server.port, mails, tmp_path, watch) == 3
    assert mail_server.counts() == {f"<{n}@okaeri.test>": 1 for n in range(3)}
    assert watch.seconds > 0


def test_a_contest_runs_both_sides_in_turns() -> None:
    turns: list[str] = []

    def side(name: str, seconds: float) -> object:
        def trial(watch: Stopwatch) -> int:
            turns.append(name)
            watch.seconds += seconds
            return 100

        return trial

    contest = Contest("x", "things", side("bare", 1.0), side("okaeri", 1.5), aim=2)  # type: ignore[arg-type]
    result = compare(contest)
    assert turns == ["okaeri", "bare"] * 3
    assert row(result) == ("x", "things", "3", "100", "67", "1.50x", "2x")


def test_a_contest_that_takes_too_long_gets_no_further_round() -> None:
    contest = Contest("x", "things", _slow, _slow, seconds=0.0)
    assert len(compare(contest).bare) == 1


def _slow(watch: Stopwatch) -> int:
    with watch.running():
        return 1


def test_a_contest_without_our_side_claims_nothing() -> None:
    contest = Contest("x", "things", lambda _watch: 1, aim=2)
    assert row(Result(contest, bare=[100.0])) == ("x", "things", "1", "100", "", "", "")


def test_the_sample_history_is_the_same_each_time_and_has_regulars(tmp_path: Path) -> None:
    texts = []
    for name in ("a.csv", "b.csv"):
        write_orders(tmp_path / name, 3_000)
        texts.append((tmp_path / name).read_text(encoding="utf-8"))
    assert texts[0] == texts[1]
    rows = list(csv.DictReader(io.StringIO(texts[0])))
    assert len({line["order_number"] for line in rows}) == 3_000
    times = Counter(line["customer_id"] for line in rows)
    once = sum(1 for orders in times.values() if orders == 1)
    assert once > len(times) / 2
    assert max(times.values()) > 50
