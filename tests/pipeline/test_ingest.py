"""Orders taken in: new, changed, unchanged, stale, doubled, with and without a source time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from connectors.contract import Fulfilment, Life, Line, Order, Payment, PaymentKind
from tests.documents import context, documents, shop
from tests.factories import NOW, an_order, make_channel, make_customer, some_lines
from worker.pipeline.ingest import IngestResult, derive, ingest
from worker.rules.shop import Counting
from worker.store.channels import Channel
from worker.store.engine import reading, writing
from worker.store.orders import OrderContact, OrderLine, OrderRevision, OrderRow

CTX = context()
HOUR = timedelta(hours=1)


def take(session: Session, channel: Channel, *given: Order) -> IngestResult:
    return ingest(session, CTX, channel, list(enumerate(given, 1)), NOW)


def only(session: Session) -> OrderRow:
    session.expire_all()
    return session.scalars(sa.select(OrderRow)).one()


def test_an_order_is_taken_in_with_its_contact_lines_and_first_revision(engine: sa.Engine) -> None:
    given = an_order(
        "7",
        ordered_at=datetime(2026, 11, 19, 15, 30, tzinfo=UTC),
        buyer={"name": "髙橋 一郎", "email": "t@mail.example", "birthday": date(1980, 2, 29)},
        lines=some_lines("珈琲", "紅茶"),
        gift=True,
    )
    with writing(engine) as session:
        result = take(session, make_channel(session), given)
    with reading(engine) as session:
        order = only(session)
        assert (result.new, result.order_ids) == (1, (order.id,))
        assert (order.life, order.payment, order.total, order.gift) == ("open", "paid", 3000, True)
        assert order.ordered_on == date(2026, 11, 20)  # half past midnight in Tokyo
        assert (order.counting, order.visit_counting, order.spend) == (True, True, 3000)
        assert (order.identify_due, order.plan_due, order.revision) == (True, True, 1)
        contact = session.get_one(OrderContact, order.id)
        assert (contact.name, contact.birthday) == ("髙橋 一郎", date(1980, 2, 29))
        lines = session.scalars(sa.select(OrderLine).order_by(OrderLine.position)).all()
        assert [(line.position, line.name, line.amount) for line in lines] == [
            (1, "珈琲", 1000),
            (2, "紅茶", 1000),
        ]
        revision = session.scalars(sa.select(OrderRevision)).one()
        assert (revision.revision, revision.changed, revision.before) == (1, [], None)


def test_the_same_record_again_changes_nothing(engine: sa.Engine) -> None:
    given = an_order("7", lines=some_lines("珈琲"))
    with writing(engine) as session:
        channel = make_channel(session)
        take(session, channel, given)
        session.execute(sa.update(OrderRow).values(plan_due=False, identify_due=False))
        result = take(session, channel, given, given)
        assert result == IngestResult(unchanged=2)
        order = only(session)
        assert (order.revision, order.plan_due, order.identify_due) == (1, False, False)


def test_a_newer_record_replaces_what_it_speaks_of_and_nothing_else(engine: sa.Engine) -> None:
    first = an_order("7", updated_at=NOW, total=3000, note="朝に届けて", lines=some_lines("珈琲"))
    later = an_order("7", updated_at=NOW + HOUR, total=2500, lines=some_lines("紅茶", "菓子"))
    with writing(engine) as session:
        channel = make_channel(session)
        customer = make_customer(session)
        take(session, channel, first)
        session.execute(
            sa.update(OrderRow).values(plan_due=False, identify_due=False, customer_id=customer.id)
        )
        result = take(session, channel, later)
        order = only(session)
        assert (result.changed, order.total, order.spend, order.revision) == (1, 2500, 2500, 2)
        assert session.get_one(OrderContact, order.id).note == "朝に届けて"
        lines = session.scalars(sa.select(OrderLine.name).order_by(OrderLine.position)).all()
        assert lines == ["紅茶", "菓子"]
        revision = session.scalars(
            sa.select(OrderRevision).where(OrderRevision.revision == 2)
        ).one()
        assert revision.changed == ["lines", "total"]
        assert revision.before is not None
        assert revision.before["order"]["total"] == 3000
        assert [line[1] for line in revision.before["lines"]] == ["珈琲"]
        assert (order.plan_due, order.identify_due) == (True, False)
        session.refresh(customer)
        assert (customer.rank_due, customer.plan_due) == (True, True)


def test_a_field_told_to_be_empty_is_emptied_and_an_absent_one_is_kept(engine: sa.Engine) -> None:
    first = an_order("7", updated_at=NOW, carrier="ヤマト", tracking_number="123")
    later = an_order("7", updated_at=NOW + HOUR, tracking_number=None)
    with writing(engine) as session:
        channel = make_channel(session)
        take(session, channel, first)
        take(session, channel, later)
        order = only(session)
        assert (order.carrier, order.tracking_number) == ("ヤマト", None)


def test_an_older_record_is_stale_but_fills_what_nobody_told(engine: sa.Engine) -> None:
    newest = an_order("7", updated_at=NOW, total=2500)
    older = an_order("7", updated_at=NOW - HOUR, total=3000)
    telling = an_order("7", updated_at=NOW - 2 * HOUR, total=9999, carrier="佐川")
    with writing(engine) as session:
        channel = make_channel(session)
        take(session, channel, newest)
        assert take(session, channel, older) == IngestResult(stale=1)
        assert take(session, channel, telling).changed == 1
        order = only(session)
        assert (order.total, order.carrier, order.source_updated_at) == (2500, "佐川", NOW)


def test_with_a_source_time_an_order_may_come_back_from_cancelled(engine: sa.Engine) -> None:
    with writing(engine) as session:
        channel = make_channel(session)
        take(session, channel, an_order("7", updated_at=NOW, life=Life.CANCELLED))
        assert only(session).counting is False
        take(session, channel, an_order("7", updated_at=NOW + HOUR, life=Life.OPEN))
        order = only(session)
        assert (order.life, order.counting) == ("open", True)


@pytest.mark.parametrize(
    ("stored", "given"),
    [
        ({"life": Life.CANCELLED}, {"life": Life.OPEN}),
        ({"payment": Payment.REFUNDED_PART}, {"payment": Payment.PAID}),
        ({"fulfilment": Fulfilment.DELIVERED}, {"fulfilment": Fulfilment.SHIPPED}),
    ],
)
def test_without_a_source_time_no_state_moves_backwards(
    engine: sa.Engine, stored: dict[str, Life], given: dict[str, Life]
) -> None:
    with writing(engine) as session:
        channel = make_channel(session)
        take(session, channel, an_order("7", **stored, buyer={"address": "新住所"}))
        older = an_order("7", **given, buyer={"address": "旧住所"}, carrier="佐川")
        assert take(session, channel, older).changed == 1
        order = only(session)
        name, value = next(iter(stored.items()))
        assert getattr(order, name) == value
        # The file is evidently older: it fills a gap, it does not turn the address back.
        assert order.carrier == "佐川"
        assert session.get_one(OrderContact, order.id).address == "新住所"


def test_states_move_forward_each_for_itself_without_a_source_time(engine: sa.Engine) -> None:
    with writing(engine) as session:
        channel = make_channel(session)
        paid = {"payment": Payment.PAID, "fulfilment": Fulfilment.UNSHIPPED}
        take(session, channel, an_order("7", **paid))
        shipped = {"payment": Payment.UNPAID, "fulfilment": Fulfilment.SHIPPED}
        take(session, channel, an_order("7", **shipped))
        order = only(session)
        assert (order.payment, order.fulfilment) == ("paid", "shipped")


def test_an_order_twice_in_one_batch_ends_as_its_newest_record(engine: sa.Engine) -> None:
    newest = an_order("7", updated_at=NOW, total=1)
    oldest = an_order("7", updated_at=NOW - HOUR, total=2)
    with writing(engine) as session:
        result = take(session, make_channel(session), newest, oldest)
        assert (result.new, result.stale, only(session).total) == (1, 1, 1)


def test_a_changed_number_and_currency_are_taken_and_recorded(engine: sa.Engine) -> None:
    with writing(engine) as session:
        channel = make_channel(session)
        take(session, channel, an_order("7", updated_at=NOW))
        changed = an_order("7", updated_at=NOW + HOUR, number="7-B", currency="USD", total=3000)
        take(session, channel, changed)
        order = only(session)
        assert (order.number, order.currency, order.spend) == ("7-B", "USD", 0)
        assert order.warnings == ["no_rate"]


def test_a_status_nobody_understood_leaves_the_states_alone(engine: sa.Engine) -> None:
    unknown = an_order("7", life=None, payment=None, fulfilment=None, warnings=("unknown_status",))
    with writing(engine) as session:
        channel = make_channel(session)
        take(session, channel, an_order("7", fulfilment=Fulfilment.SHIPPED))
        take(session, channel, unknown)
        order = only(session)
        assert (order.fulfilment, order.warnings) == ("shipped", ["unknown_status"])


def test_only_the_first_counting_delivery_of_a_subscription_is_a_visit(engine: sa.Engine) -> None:
    def delivery(number: int, **fields: object) -> Order:
        when = NOW - timedelta(days=30 * (5 - number))
        return an_order(f"S{number}", ordered_at=when, subscription_number="T-1", **fields)

    with writing(engine) as session:
        channel = make_channel(session)
        take(session, channel, delivery(2), delivery(3))
        take(session, channel, delivery(1))
        query = sa.select(OrderRow.external_id).where(OrderRow.visit_counting)
        assert session.scalars(query).all() == ["S1"]
        take(session, channel, delivery(1, life=Life.CANCELLED))
        assert session.scalars(query).all() == ["S2"]
        assert session.scalars(sa.select(sa.func.sum(OrderRow.spend))).one() == 6000


def test_orders_are_derived_anew_when_the_counting_rules_change(engine: sa.Engine) -> None:
    unpaid = an_order(
        "1", payment=Payment.UNPAID, payment_kind=PaymentKind.PREPAYMENT, payment_method="銀行振込"
    )
    free = an_order("2", total=0)
    with writing(engine) as session:
        channel = make_channel(session)
        ids = take(session, channel, unpaid, free).order_ids
        strict = documents(shop=shop(counting=Counting(zero_amount=False)))
        changed = derive(session, context(strict), ids, NOW)
        rows = session.execute(sa.select(OrderRow.external_id, OrderRow.counting)).all()
        assert {row[0]: row[1] for row in rows} == {"1": False, "2": False}
        assert len(changed) == 1


def test_lines_without_money_are_kept_as_told(engine: sa.Engine) -> None:
    with writing(engine) as session:
        take(session, make_channel(session), an_order("7", lines=(Line(name="詰合せ"),)))
        line = session.scalars(sa.select(OrderLine)).one()
        assert (line.name, line.quantity, line.unit_price, line.amount) == ("詰合せ", 1, None, None)
