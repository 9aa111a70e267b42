"""A signed webhook makes a poll sooner, once, and can do nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select

from tests.documents import context
from tests.factories import NOW, make_channel
from tests.toy_shop import SECRET, Toy, ToyServer, signed, toy
from worker.pipeline.channel_vault import Keyring, sealed
from worker.pipeline.nudge import Nudged, forget_deliveries, nudge
from worker.store.channels import Channel, StreamState, WebhookDelivery
from worker.store.engine import reading, writing

__all__ = ["toy"]
CTX = context()
NAME = "own:toy"
BODY = '{"id": 1, "note": "お願いします"}'.encode()
LATER = NOW + timedelta(minutes=5)


@pytest.fixture(autouse=True)
def channel(engine: Engine, toy: ToyServer) -> None:
    with writing(engine) as session:
        secrets = {"hook": sealed(Keyring.of(CTX.key), SECRET, NOW)}
        made = make_channel(session, NAME, kind="toy", secrets=secrets, next_poll_at=LATER)
        session.add(StreamState(channel_id=made.id, stream="orders"))
        make_channel(session, "own:files", next_poll_at=LATER)


def send(
    engine: Engine,
    body: bytes = BODY,
    *,
    name: str = NAME,
    delivery: str = "d-1",
    signature: str | None = None,
    now: datetime = NOW,
) -> Nudged:
    headers = {
        "x-toy-signature": signed(body) if signature is None else signature,
        "x-toy-delivery": delivery,
    }
    with writing(engine) as session:
        return nudge(session, CTX, name, headers, body, now)


def due(engine: Engine) -> datetime | None:
    with reading(engine) as session:
        return session.scalars(select(Channel.next_poll_at).where(Channel.name == NAME)).one()


def test_a_signed_webhook_has_the_channel_polled_at_once(engine: Engine) -> None:
    assert send(engine) is Nudged.TAKEN
    assert due(engine) == NOW


@pytest.mark.parametrize("signature", ["", "0" * 64, signed(BODY, "another"), signed(BODY + b" ")])
def test_a_wrong_signature_changes_nothing(engine: Engine, signature: str) -> None:
    assert send(engine, signature=signature) is Nudged.REFUSED
    assert due(engine) == LATER
    with reading(engine) as session:
        assert session.scalar(select(func.count()).select_from(WebhookDelivery)) == 0


def test_a_delivery_that_comes_again_changes_nothing(engine: Engine) -> None:
    send(engine)
    with writing(engine) as session:
        session.scalars(select(Channel).where(Channel.name == NAME)).one().next_poll_at = LATER
    assert send(engine) is Nudged.REPEATED
    assert send(engine, delivery="d-forged") is Nudged.REPEATED, "the body is known"
    assert send(engine, BODY + b"\n") is Nudged.REPEATED, "the delivery is known"
    assert due(engine) == LATER
    assert send(engine, BODY + b"\n\n", delivery="d-2") is Nudged.TAKEN


def test_where_every_change_has_the_same_bytes_a_later_one_is_news(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Toy, "SAME_BODY_SECONDS", 60, raising=False)
    assert send(engine, delivery="") is Nudged.TAKEN
    assert send(engine, delivery="", now=NOW + timedelta(seconds=59)) is Nudged.REPEATED
    with writing(engine) as session:
        session.scalars(select(Channel).where(Channel.name == NAME)).one().next_poll_at = LATER
    assert send(engine, delivery="", now=NOW + timedelta(seconds=60)) is Nudged.TAKEN
    assert due(engine) == NOW + timedelta(seconds=60)


def test_the_same_bytes_are_never_news_where_each_delivery_has_its_own(engine: Engine) -> None:
    assert send(engine, delivery="") is Nudged.TAKEN
    assert send(engine, delivery="", now=NOW + timedelta(days=1)) is Nudged.REPEATED


def test_channels_without_webhooks_are_unknown_here(engine: Engine) -> None:
    assert send(engine, name="own:files") is Nudged.UNKNOWN
    assert send(engine, name="own:absent") is Nudged.UNKNOWN


def test_without_a_secret_every_signature_is_wrong(engine: Engine) -> None:
    with writing(engine) as session:
        session.scalars(select(Channel).where(Channel.name == NAME)).one().secrets = {}
    assert send(engine) is Nudged.REFUSED


def test_neither_a_paused_channel_nor_one_told_to_wait_is_polled_sooner(engine: Engine) -> None:
    with writing(engine) as session:
        session.scalars(select(StreamState)).one().failures = 1
    assert send(engine) is Nudged.TAKEN
    assert due(engine) == LATER
    with writing(engine) as session:
        session.scalars(select(StreamState)).one().failures = 0
        session.scalars(select(Channel).where(Channel.name == NAME)).one().paused = True
    assert send(engine, b"{}", delivery="d-2") is Nudged.TAKEN
    assert due(engine) == LATER


def test_a_poll_that_is_overdue_is_not_put_off(engine: Engine) -> None:
    with writing(engine) as session:
        row = session.scalars(select(Channel).where(Channel.name == NAME)).one()
        row.next_poll_at = NOW - timedelta(hours=1)
    send(engine)
    assert due(engine) == NOW - timedelta(hours=1)


def test_old_deliveries_are_forgotten(engine: Engine) -> None:
    send(engine, delivery="")
    with writing(engine) as session:
        assert forget_deliveries(session, NOW) == 0
        assert forget_deliveries(session, NOW + timedelta(seconds=1)) == 1


def test_the_trial_of_a_new_webhook_is_answered_and_does_nothing(engine: Engine) -> None:
    with writing(engine) as session:
        settings = {"base_url": "https://shop.example"}
        make_channel(session, "own:woo", kind="woocommerce", settings=settings)
    assert send(engine, b"webhook_id=1", name="own:woo") is Nudged.PING
    assert send(engine, b"webhook_id=1&more", name="own:woo") is Nudged.REFUSED
    with reading(engine) as session:
        assert session.scalar(select(func.count()).select_from(WebhookDelivery)) == 0
