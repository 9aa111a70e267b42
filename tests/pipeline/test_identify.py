"""Who is who: linking, merging, doubting, and taking it back."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from connectors.contract import Order
from tests.documents import context, documents, shop
from tests.factories import NOW, an_order, make_channel, tokyo
from worker.pipeline.context import Context
from worker.pipeline.identify import (
    IdentifyResult,
    MergeRefused,
    decide_candidate,
    identify,
    unmerge,
)
from worker.pipeline.ingest import ingest
from worker.rules.shop import Matching
from worker.rules.states import CandidateState, ConsentAction, IdentityKind
from worker.store.channels import Channel
from worker.store.customers import (
    Candidate,
    Consent,
    Customer,
    CustomerProfile,
    Identity,
    IdentityLink,
    Merge,
    OpeningCount,
    OrderIdentity,
)
from worker.store.engine import writing
from worker.store.orders import OrderRow

CTX = context()
HANA = {"name": "山田 花子", "phone": "090-1111-2222"}


def take(session: Session, channel: Channel, *given: Order, ctx: Context = CTX) -> IdentifyResult:
    ingest(session, ctx, channel, list(enumerate(given, 1)), NOW)
    result = identify(session, ctx, NOW)
    session.expire_all()
    return result


def owners(session: Session) -> dict[str, int | None]:
    """Customer of each order, numbered from 1 in the order of their ids."""
    rows = session.execute(
        sa.select(OrderRow.external_id, OrderRow.customer_id).order_by(OrderRow.external_id)
    ).all()
    ids = sorted({row[1] for row in rows if row[1] is not None})
    return {row[0]: ids.index(row[1]) + 1 if row[1] is not None else None for row in rows}


def unsure(session: Session) -> list[bool]:
    query = sa.select(Customer.identity_unsure).where(Customer.merged_into.is_(None))
    return list(session.scalars(query.order_by(Customer.id)))


def by(number: str, day: str = "2026-11-01", **buyer: Any) -> Order:
    return an_order(number, ordered_at=tokyo(day), buyer=buyer)


def test_orders_with_one_member_id_or_one_mail_address_are_one_customer(engine: sa.Engine) -> None:
    with writing(engine) as session:
        result = take(
            session,
            make_channel(session),
            by("1", member_id="m1", email="a@mail.example"),
            by("2", member_id="m1"),
            by("3", email="A@MAIL.example"),
            by("4", email="b@mail.example"),
        )
        assert owners(session) == {"1": 1, "2": 1, "3": 1, "4": 2}
        assert (result.linked, result.customers_made, result.merged) == (4, 2, 0)
        assert unsure(session) == [False, False]
        due = session.scalars(sa.select(OrderRow).where(OrderRow.identify_due)).all()
        assert due == []


def test_every_key_of_an_order_is_stored_with_a_reason(engine: sa.Engine) -> None:
    with writing(engine) as session:
        given = by("1", member_id="m1", email="a@mail.example", address="東京都港区1-2-3", **HANA)
        take(session, make_channel(session), given)
        query = (
            sa.select(Identity.kind, OrderIdentity.strength, IdentityLink.reason)
            .join(OrderIdentity, OrderIdentity.identity_id == Identity.id)
            .join(IdentityLink, IdentityLink.identity_id == Identity.id)
            .order_by(OrderIdentity.strength)
        )
        assert [tuple(row) for row in session.execute(query)] == [
            (IdentityKind.MEMBER, 0, "by_member"),
            (IdentityKind.EMAIL, 1, "by_email"),
            (IdentityKind.PHONE_NAME, 2, "by_phone_name"),
            (IdentityKind.NAME_ADDRESS, 3, "by_name_address"),
        ]
        hashes = session.scalars(sa.select(Identity.key_hash)).all()
        assert all(len(value) == 64 and "mail" not in value for value in hashes)


def test_channels_of_one_scope_share_an_address_and_other_scopes_do_not(
    engine: sa.Engine,
) -> None:
    with writing(engine) as session:
        take(session, make_channel(session, "own:a"), by("1", email="a@mail.example"))
        take(session, make_channel(session, "own:b"), by("2", email="a@mail.example"))
        take(session, make_channel(session, "rakuten:main"), by("3", email="a@mail.example"))
        assert owners(session) == {"1": 1, "2": 1, "3": 2}
        assert session.scalars(sa.select(Candidate)).all() == []


@pytest.mark.parametrize(("setting", "expected"), [("suggest", 2), ("auto", 1)])
def test_across_scopes_the_setting_decides(engine: sa.Engine, setting: Any, expected: int) -> None:
    ctx = context(documents(shop=shop(matching=Matching(across_scopes=setting))))
    with writing(engine) as session:
        own, mall = make_channel(session, "own:a"), make_channel(session, "rakuten:main")
        take(session, own, by("1", email="a@mail.example"), ctx=ctx)
        take(session, mall, by("2", email="a@mail.example"), ctx=ctx)
        assert max(value or 0 for value in owners(session).values()) == expected
        found = session.scalars(sa.select(Candidate)).all()
        assert [(c.reason, c.blocking) for c in found] == (
            [("same_email_other_scope", False)] if setting == "suggest" else []
        )
        assert unsure(session) == [False] * expected


def test_a_relay_address_is_a_key_in_its_channel_only(engine: sa.Engine) -> None:
    masked: dict[str, Any] = {"email": "x1@relay.example", "email_is_relay": True}
    with writing(engine) as session:
        channel = make_channel(session, "own:a")
        take(session, channel, by("1", **masked), by("2", **masked))
        take(session, make_channel(session, "own:b"), by("3", **masked))
        assert owners(session) == {"1": 1, "2": 1, "3": 2}
        assert unsure(session) == [False, False]


def test_an_order_with_keys_of_two_customers_merges_them(engine: sa.Engine) -> None:
    with writing(engine) as session:
        channel = make_channel(session)
        take(session, channel, by("1", email="a@mail.example"), by("2", member_id="m1"))
        result = take(session, channel, by("3", member_id="m1", email="a@mail.example"))
        assert owners(session) == {"1": 1, "2": 1, "3": 1}
        record = session.scalars(sa.select(Merge)).one()
        assert (result.merged, record.by, record.reason) == (1, "system", "same_email")
        gone = session.get_one(Customer, record.merged_id)
        assert gone.merged_into == record.kept_id
        kept = session.get_one(Customer, record.kept_id)
        assert (kept.rank_due, kept.plan_due, kept.identity_unsure) == (True, True, False)


def test_two_member_ids_of_one_channel_never_merge_by_themselves(engine: sa.Engine) -> None:
    with writing(engine) as session:
        channel = make_channel(session)
        shared = {"email": "family@mail.example"}
        take(session, channel, by("1", member_id="m1", **shared))
        result = take(session, channel, by("2", "2026-11-02", member_id="m2", **shared))
        assert owners(session) == {"1": 1, "2": 2}
        candidate = session.scalars(sa.select(Candidate)).one()
        assert (result.candidates, candidate.reason) == (1, "two_member_ids")
        assert unsure(session) == [True, True]


def test_a_weak_key_finds_the_customer_of_an_order_without_strong_ones(engine: sa.Engine) -> None:
    with writing(engine) as session:
        channel = make_channel(session)
        take(session, channel, by("1", email="a@mail.example", **HANA))
        assert unsure(session) == [False]
        take(session, channel, by("2", name="山田花子", phone="+81 90 1111 2222"))
        assert owners(session) == {"1": 1, "2": 1}
        assert unsure(session) == [True]


def test_a_weak_key_of_two_strong_customers_makes_a_candidate(engine: sa.Engine) -> None:
    with writing(engine) as session:
        channel = make_channel(session)
        take(session, channel, by("1", email="a@mail.example", **HANA))
        take(session, channel, by("2", email="b@mail.example", **HANA))
        assert owners(session) == {"1": 1, "2": 2}
        candidate = session.scalars(sa.select(Candidate)).one()
        assert (candidate.reason, candidate.state) == ("phone_name", CandidateState.OPEN)
        assert unsure(session) == [True, True]


def test_an_order_without_any_key_is_a_person_of_its_own(engine: sa.Engine) -> None:
    with writing(engine) as session:
        take(session, make_channel(session), by("1", name="山田"), by("2", name="山田"))
        assert owners(session) == {"1": 1, "2": 2}
        assert unsure(session) == [True, True]


def test_staff_say_same_and_the_doubt_is_gone_or_apart_and_it_stays_so(engine: sa.Engine) -> None:
    with writing(engine) as session:
        channel = make_channel(session)
        take(session, channel, by("1", email="a@mail.example", **HANA))
        take(session, channel, by("2", email="b@mail.example", **HANA))
        candidate = session.scalars(sa.select(Candidate)).one()
        merge_id = decide_candidate(session, CTX, candidate.id, True, "hana", NOW)
        session.expire_all()
        assert owners(session) == {"1": 1, "2": 1}
        assert unsure(session) == [False]
        assert merge_id is not None
        unmerge(session, CTX, merge_id, "hana", NOW)
        session.expire_all()
        assert owners(session) == {"1": 1, "2": 2}
        assert unsure(session) == [False, False]
        assert candidate.state is CandidateState.REJECTED
        take(session, channel, by("3", email="b@mail.example", **HANA))
        assert owners(session) == {"1": 1, "2": 2, "3": 2}
        assert unsure(session) == [False, False]


def test_what_was_unmerged_is_not_merged_by_itself_again(engine: sa.Engine) -> None:
    with writing(engine) as session:
        channel = make_channel(session)
        take(session, channel, by("1", email="a@mail.example"), by("2", member_id="m1"))
        both = {"member_id": "m1", "email": "a@mail.example"}
        take(session, channel, by("3", "2026-11-03", **both))
        record = session.scalars(sa.select(Merge)).one()
        unmerge(session, CTX, record.id, "hana", NOW)
        session.expire_all()
        first = session.scalars(sa.select(OrderRow).where(OrderRow.external_id == "1")).one()
        # The order that carried both keys goes with the stronger one.
        assert owners(session) == {"1": 1, "2": 2, "3": 2}
        take(session, channel, by("4", "2026-11-04", **both))
        assert owners(session) == {"1": 1, "2": 2, "3": 2, "4": 2}
        assert session.scalars(sa.select(sa.func.count(Merge.id))).one() == 1
        assert first.customer_id == record.kept_id
        with pytest.raises(MergeRefused):
            unmerge(session, CTX, record.id, "hana", NOW)


def test_amazon_makes_no_customer(engine: sa.Engine) -> None:
    with writing(engine) as session:
        channel = make_channel(session, "amazon:jp")
        result = take(session, channel, by("1", email="x@marketplace.amazon.co.jp"))
        assert (result.seen, result.linked, owners(session)) == (1, 0, {"1": None})
        assert session.scalars(sa.select(Identity)).all() == []
        assert session.scalars(sa.select(Customer)).all() == []


def test_the_profile_is_of_the_newest_order_and_keeps_what_it_does_not_tell(
    engine: sa.Engine,
) -> None:
    with writing(engine) as session:
        channel = make_channel(session)
        born = {"birthday": date(1990, 1, 2)}
        take(session, channel, by("1", "2026-11-01", member_id="m1", name="旧姓 花子", **born))
        take(session, channel, by("2", "2026-11-05", member_id="m1", name="新姓 花子"))
        take(session, channel, by("3", "2026-10-01", member_id="m1", name="大昔 花子", kana="ハナ"))
        profile = session.scalars(sa.select(CustomerProfile)).one()
        assert (profile.name, profile.birthday, profile.kana) == (
            "新姓 花子",
            date(1990, 1, 2),
            "ハナ",
        )


def test_an_import_can_withdraw_consent_but_not_grant_it_over_a_later_withdrawal(
    engine: sa.Engine,
) -> None:
    def said(number: str, agreed: bool, day: str) -> Order:
        buyer = {"email": "a@mail.example"}
        return an_order(number, buyer=buyer, marketing_consent=agreed, consent_at=tokyo(day))

    with writing(engine) as session:
        channel = make_channel(session)
        take(session, channel, said("1", True, "2026-10-01"))
        take(session, channel, said("2", False, "2026-10-05"))
        take(session, channel, said("3", True, "2026-10-04"), said("4", True, "2026-10-05"))
        rows = session.scalars(sa.select(Consent).order_by(Consent.id)).all()
        assert [(row.action, row.occurred_at) for row in rows] == [
            (ConsentAction.IMPORTED, tokyo("2026-10-01")),
            (ConsentAction.WITHDRAWN, tokyo("2026-10-05")),
        ]
        take(session, channel, said("5", True, "2026-10-06"))
        assert session.scalars(sa.select(sa.func.count(Consent.id))).one() == 3
        assert rows[0].customer_id is not None


def test_what_the_platform_counts_beyond_our_history_is_the_opening_count(
    engine: sa.Engine,
) -> None:
    def seventh(number: str, day: str, count: int | None) -> Order:
        return an_order(
            number,
            ordered_at=tokyo(day),
            buyer={"member_id": "m1"},
            platform_order_count=count,
        )

    with writing(engine) as session:
        channel = make_channel(session)
        take(session, channel, seventh("1", "2026-11-10", 7))
        opening = session.scalars(sa.select(OpeningCount)).one()
        assert (opening.count, opening.before) == (6, date(2026, 11, 10))
        take(session, channel, seventh("0", "2026-11-01", None))
        opening = session.scalars(sa.select(OpeningCount)).one()
        assert (opening.count, opening.before) == (5, date(2026, 11, 1))


def test_a_changed_contact_finds_its_customer_anew(engine: sa.Engine) -> None:
    hour = timedelta(hours=1)
    with writing(engine) as session:
        channel = make_channel(session)
        take(session, channel, an_order("1", updated_at=NOW, buyer={"email": "typo@mail.example"}))
        take(session, channel, by("2", email="a@mail.example"))
        moved = an_order("1", updated_at=NOW + hour, buyer={"email": "a@mail.example"})
        take(session, channel, moved)
        assert owners(session) == {"1": 1, "2": 1}
        assert len(session.scalars(sa.select(OrderIdentity)).all()) == 2


def test_identifying_again_finds_nothing_to_do(engine: sa.Engine) -> None:
    with writing(engine) as session:
        take(session, make_channel(session), by("1", email="a@mail.example"))
        assert identify(session, CTX, NOW) == IdentifyResult()


def test_identification_reads_its_list_from_the_partial_index(engine: sa.Engine) -> None:
    if engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL chooses by statistics, which a test's table has not")
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT id FROM orders WHERE orders.identify_due ORDER BY id LIMIT 9"
        ).all()
        assert "ix_orders_identify_due" in str(plan)
