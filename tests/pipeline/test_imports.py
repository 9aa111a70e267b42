"""Order files: taken in, counted, refused, taken in again, and taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from connectors.contract import NeedsPerson
from tests.documents import context
from tests.factories import NOW, make_message, make_occasion, tokyo
from worker.pipeline import imports, pull
from worker.pipeline.import_undo import UndoRefused, undo_import
from worker.pipeline.imports import ImportReport, import_file, list_imports
from worker.pipeline.quarantine import dismiss, fix, list_open, replay
from worker.rules.states import ImportState, MailKind, MessageState, Outcome, QuarantineState
from worker.store.channels import Channel, ChannelKind
from worker.store.customers import Customer, CustomerProfile
from worker.store.engine import reading, writing
from worker.store.messages import Message, Occasion
from worker.store.orders import Import, OrderContact, OrderRevision, OrderRow, Quarantine, RawRecord

CTX = context()
HEADER = "order_number,ordered_at,status,email,name,total,currency,tracking_number"
ROWS = (
    "A-1,2026-11-01 10:00,paid,a@mail.example,山田 花子,3000,JPY,",
    "A-2,2026-11-02 10:00,paid,b@mail.example,佐藤 一郎,5000,JPY,",
    "A-3,2026-11-03 10:00,shipped,a@mail.example,山田 花子,2000,JPY,123",
)
Take = Callable[..., ImportReport]


@pytest.fixture
def take(engine: sa.Engine, tmp_path: Path) -> Take:
    """Write a file and import it: ``take("name.csv", *rows, **settings)``."""

    def transaction() -> AbstractContextManager[Session]:
        return writing(engine)

    def take_file(name: str, *rows: str, header: str = HEADER, **settings: Any) -> ImportReport:
        path = tmp_path / name
        path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
        told: dict[str, Any] = {"channel": "own:shop", "by": "hana", "now": NOW} | settings
        return import_file(transaction, CTX, path, **told)

    return take_file


def counts(report: ImportReport) -> tuple[int, int, int, int, int]:
    return report.new, report.changed, report.unchanged, report.stale, report.rejected


@contextmanager
def reader(engine: sa.Engine) -> Iterator[Session]:
    with reading(engine) as session:
        yield session


def totals(session: Session) -> dict[str, int | None]:
    query = sa.select(OrderRow.external_id, OrderRow.total).order_by(OrderRow.external_id)
    return {row[0]: row[1] for row in session.execute(query)}


def test_a_file_makes_its_channel_its_orders_and_their_customers(
    engine: sa.Engine, take: Take
) -> None:
    report = take("orders.csv", *ROWS)
    assert counts(report) == (3, 0, 0, 0, 0)
    assert (report.channels, report.already, report.profile) == (("own:shop",), False, "generic")
    with reading(engine) as session:
        channel = session.scalars(sa.select(Channel)).one()
        assert (channel.name, channel.family, channel.kind) == ("own:shop", "own", "csv_file")
        assert totals(session) == {"A-1": 3000, "A-2": 5000, "A-3": 2000}
        owners = session.scalars(sa.select(OrderRow.customer_id).order_by(OrderRow.id)).all()
        assert owners[0] == owners[2] != owners[1]
        record = session.scalars(sa.select(Import)).one()
        assert (record.state, record.channel_id, record.counts["new"]) == (
            ImportState.DONE,
            channel.id,
            3,
        )
        assert session.scalars(sa.select(ChannelKind)).all() == []
        raws = session.scalars(sa.select(RawRecord).order_by(RawRecord.id)).all()
        assert [raw.external_id for raw in raws] == ["A-1", "A-2", "A-3"]
        assert all(raw.import_id == record.id for raw in raws)


def test_the_same_file_again_changes_nothing(engine: sa.Engine, take: Take) -> None:
    first = take("orders.csv", *ROWS)
    again = take("renamed.csv", *ROWS)
    assert (again.already, again.import_id) == (True, first.import_id)
    assert counts(again) == (0, 0, 3, 0, 0)
    with reading(engine) as session:
        assert len(list_imports(session)) == 1
        assert session.scalars(sa.select(sa.func.count(OrderRevision.id))).one() == 3


def test_a_later_file_counts_new_changed_unchanged_and_rejected(
    engine: sa.Engine, take: Take
) -> None:
    take("orders.csv", *ROWS)
    report = take(
        "later.csv",
        ROWS[0],
        ROWS[1].replace("5000", "4500"),
        "A-4,2026-11-04 10:00,paid,c@mail.example,鈴木,1000,JPY,",
        "A-5,someday,paid,c@mail.example,鈴木,1000,JPY,",
    )
    assert counts(report) == (1, 1, 1, 0, 1)
    with reading(engine) as session:
        assert totals(session)["A-2"] == 4500
        case = session.scalars(sa.select(Quarantine)).one()
        assert (case.external_id, case.position, case.state) == (
            "A-5",
            "line 5",
            QuarantineState.OPEN,
        )
        assert case.raw_id is not None
        assert report.rejections[0].position == "line 5"


def test_a_rehearsal_counts_the_same_and_writes_nothing(engine: sa.Engine, take: Take) -> None:
    take("orders.csv", *ROWS)
    rows = (ROWS[0], ROWS[1].replace("5000", "4500"), ROWS[2].replace("A-3", "A-9"), "A-5,,,,,,,")
    rehearsed = take("later.csv", *rows, dry_run=True)
    assert (rehearsed.dry_run, rehearsed.import_id) == (True, None)
    with reading(engine) as session:
        assert totals(session) == {"A-1": 3000, "A-2": 5000, "A-3": 2000}
        assert session.scalars(sa.select(Quarantine)).all() == []
        assert session.scalars(sa.select(sa.func.count(Import.id))).one() == 1
    assert counts(take("later.csv", *rows)) == counts(rehearsed) == (1, 1, 1, 0, 1)


def test_a_rehearsal_of_a_first_file_makes_no_channel(engine: sa.Engine, take: Take) -> None:
    assert counts(take("orders.csv", *ROWS, dry_run=True)) == (3, 0, 0, 0, 0)
    with reading(engine) as session:
        assert session.scalars(sa.select(Channel)).all() == []


def test_active_from_lets_every_kind_plan_from_then_on(engine: sa.Engine, take: Take) -> None:
    take("orders.csv", *ROWS, active_from=tokyo("2026-11-01"))
    with reading(engine) as session:
        rows = session.scalars(sa.select(ChannelKind)).all()
        assert {row.kind for row in rows} == set(MailKind)
        assert {row.active_from for row in rows} == {tokyo("2026-11-01")}


def test_a_file_of_several_stores_becomes_several_channels(engine: sa.Engine, take: Take) -> None:
    header = HEADER + ",store"
    rows = (
        ROWS[0] + ",本店",
        ROWS[1] + ",楽天市場店",
        ROWS[2] + ",own:outlet",
    )
    report = take("hub.csv", *rows, header=header, channel="own")
    assert report.channels == ("own:本店", "rakuten:楽天市場店", "own:outlet")
    assert [word for word in report.warnings if word.startswith("new_channel")] == [
        "new_channel:own:本店",
        "new_channel:rakuten:楽天市場店",
        "new_channel:own:outlet",
    ]
    with reading(engine) as session:
        families = session.scalars(sa.select(Channel.family).order_by(Channel.id)).all()
        assert families == ["own", "rakuten", "own"]


def test_a_file_of_another_family_is_refused_before_anything_is_written(
    engine: sa.Engine, take: Take
) -> None:
    base = "注文ID,注文日時,氏(請求先),名(請求先),メールアドレス(請求先),商品名,発送状況,合計金額"
    with pytest.raises(NeedsPerson, match="cannot go into rakuten:main"):
        take(
            "base.csv",
            "1,2026-11-01,山田,花子,a@mail.example,珈琲,対応済,1000",
            header=base,
            channel="rakuten:main",
            profile="base",
        )
    with pytest.raises(NeedsPerson):
        take("orders.csv", *ROWS, channel="ownshop:x")
    with reading(engine) as session:
        assert session.scalars(sa.select(Channel)).all() == []
        assert session.scalars(sa.select(Import)).all() == []


def test_an_interrupted_import_goes_on_under_its_number(
    engine: sa.Engine, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "_FIRST_CHUNK", 2)
    real = pull.take_in
    calls = 0

    def dies_second(*given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise OSError("disk full")
        return real(*given, **named)

    monkeypatch.setattr(imports, "take_in", dies_second)
    with pytest.raises(OSError, match="disk full"):
        take("orders.csv", *ROWS)
    with reading(engine) as session:
        record = session.scalars(sa.select(Import)).one()
        number = record.id
        assert (record.state, record.error) == (ImportState.FAILED, "OSError: disk full")
        assert list(totals(session)) == ["A-1", "A-2"]
    report = take("orders.csv", *ROWS)
    assert (report.import_id, counts(report)) == (number, (3, 0, 0, 0, 0))
    with reading(engine) as session:
        assert session.scalars(sa.select(Import.state)).one() is ImportState.DONE


# --- taking back -----------------------------------------------------------------------------


def test_undo_removes_what_the_import_made_and_restores_what_it_changed(
    engine: sa.Engine, take: Take
) -> None:
    take("orders.csv", ROWS[0], ROWS[1])
    with reading(engine) as session:
        before = session.scalars(sa.select(OrderRow).where(OrderRow.external_id == "A-2")).one()
        address = session.get_one(OrderContact, before.id)
        kept = (before.content_hash, before.told, address.email)
    later = take(
        "later.csv",
        ROWS[1].replace("5000", "4500").replace("b@mail", "x@mail"),
        ROWS[2],
        "A-4,2026-11-04 10:00,paid,new@mail.example,新規,1000,JPY,",
    )
    assert counts(later) == (2, 1, 0, 0, 0)
    with writing(engine) as session:
        report = undo_import(session, CTX, later.import_id or 0, NOW, "hana")
        assert (report.removed, report.restored, report.left) == (2, 1, ())
    with reading(engine) as session:
        assert totals(session) == {"A-1": 3000, "A-2": 5000}
        after = session.scalars(sa.select(OrderRow).where(OrderRow.external_id == "A-2")).one()
        contact = session.get_one(OrderContact, after.id)
        assert (after.content_hash, after.told, contact.email) == kept
        assert (after.revision, after.spend) == (1, 5000)
        names = session.scalars(sa.select(CustomerProfile.name)).all()
        assert sorted(names, key=str) == ["佐藤 一郎", "山田 花子"]
        assert len(session.scalars(sa.select(Customer)).all()) == 2
        with pytest.raises(UndoRefused):
            undo_import(session, CTX, later.import_id or 0, NOW, "hana")
    again = take("later.csv", ROWS[2])
    assert counts(again) == (1, 0, 0, 0, 0)


def test_an_undone_import_may_be_taken_in_again(engine: sa.Engine, take: Take) -> None:
    first = take("orders.csv", *ROWS)
    with writing(engine) as session:
        undo_import(session, CTX, first.import_id or 0, NOW, "hana")
        assert totals(session) == {}
        assert session.scalars(sa.select(Customer)).all() == []
    again = take("orders.csv", *ROWS)
    assert (again.already, counts(again)) == (False, (3, 0, 0, 0, 0))
    assert again.import_id != first.import_id
    with reading(engine) as session:
        assert session.scalars(sa.select(sa.func.count(OrderRow.customer_id))).one() == 3


def test_imports_are_undone_one_after_the_other(engine: sa.Engine, take: Take) -> None:
    first = take("1.csv", ROWS[0])
    second = take("2.csv", ROWS[0].replace("3000", "2000"))
    with writing(engine) as session:
        undo_import(session, CTX, second.import_id or 0, NOW, "hana")
        assert totals(session) == {"A-1": 3000}
        undo_import(session, CTX, first.import_id or 0, NOW, "hana")
        assert totals(session) == {}


def test_an_order_that_a_later_import_changed_stays_and_is_named(
    engine: sa.Engine, take: Take
) -> None:
    first = take("1.csv", *ROWS)
    take("2.csv", ROWS[0].replace("3000", "2500"))
    with writing(engine) as session:
        report = undo_import(session, CTX, first.import_id or 0, NOW, "hana")
        assert (report.removed, report.restored, report.left) == (2, 0, ("A-1",))
        assert totals(session) == {"A-1": 2500}


def test_undo_cancels_waiting_mails_and_names_those_that_are_out(
    engine: sa.Engine, take: Take
) -> None:
    first = take("1.csv", *ROWS)
    with writing(engine) as session:
        channel = session.scalars(sa.select(Channel)).one()
        orders = {o.external_id: o for o in session.scalars(sa.select(OrderRow))}
        waiting = make_message(
            session, channel, state=MessageState.APPROVED, orders=(orders["A-1"],)
        )
        out = make_message(session, channel, state=MessageState.SENT, orders=(orders["A-2"],))
        make_occasion(session, channel, orders["A-3"])
        ids = (waiting.id, out.id)
    with writing(engine) as session:
        report = undo_import(session, CTX, first.import_id or 0, NOW, "hana")
        assert report.cancelled_messages == (ids[0],)
        assert report.sent_messages == (ids[1],)
        states = {m.id: m.state for m in session.scalars(sa.select(Message))}
        assert states == {ids[0]: MessageState.CANCELLED, ids[1]: MessageState.SENT}
        outcomes = session.scalars(sa.select(Occasion.outcome).order_by(Occasion.id)).all()
        assert outcomes == [Outcome.CANCELLED, Outcome.MESSAGE, Outcome.CANCELLED]


# --- quarantine ------------------------------------------------------------------------------


def test_a_case_is_mended_by_column_and_becomes_an_order(engine: sa.Engine, take: Take) -> None:
    take("1.csv", "A-5,someday,paid,c@mail.example,鈴木,1000,JPY,")
    with writing(engine) as session:
        [case] = list_open(session)
        failed = fix(session, CTX, case.id, {"ordered_at": "soon"}, "hana", NOW)
        assert (failed.failed, case.state) == (1, QuarantineState.OPEN)
        mended = fix(session, CTX, case.id, {"ordered_at": "2026-11-05 09:00"}, "hana", NOW)
        assert (mended.replayed, len(mended.order_ids)) == (1, 1)
        assert (case.state, case.resolved_by) == (QuarantineState.REPLAYED, "hana")
        assert totals(session) == {"A-5": 1000}
        assert list_open(session) == []
        raws = session.scalars(sa.select(RawRecord)).all()
        assert len(raws) == 2  # as received, and as mended


def test_replay_of_what_is_still_wrong_keeps_the_case_open(engine: sa.Engine, take: Take) -> None:
    take("1.csv", "A-5,someday,paid,c@mail.example,鈴木,1000,JPY,", "broken,row")
    with writing(engine) as session:
        report = replay(session, CTX, "all", "hana", NOW)
        assert (report.replayed, report.failed) == (0, 2)
        assert len(list_open(session)) == 2
        assert dismiss(session, [case.id for case in list_open(session)], "hana", NOW) == 2
        assert list_open(session) == []


def test_a_corrected_file_closes_the_case_of_the_first(engine: sa.Engine, take: Take) -> None:
    take("1.csv", "A-5,someday,paid,c@mail.example,鈴木,1000,JPY,")
    later = NOW.replace(hour=9)
    take("2.csv", "A-5,2026-11-05,paid,c@mail.example,鈴木,1000,JPY,", now=later)
    with reader(engine) as session:
        case = session.scalars(sa.select(Quarantine)).one()
        assert (case.state, case.resolved_by) == (QuarantineState.REPLAYED, "system")
