"""EC-CUBE's webhooks at the door: the same bytes at each change of one order."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from tests.connectors.eccube4.stub import HOOK
from tests.documents import context
from tests.factories import NOW, make_channel
from worker.pipeline.channel_vault import Keyring, sealed
from worker.pipeline.nudge import Nudged, nudge
from worker.store.channels import Channel
from worker.store.engine import writing

CTX = context()
NAME = "own:cube"
BODY = b'[{"entity":"order","id":13,"action":"updated"}]'
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def channel(engine: Engine) -> None:
    with writing(engine) as session:
        secrets = {"webhook_secret": sealed(Keyring.of(CTX.key), HOOK, NOW)}
        settings = {"base_url": "https://shop.example.com"}
        make_channel(session, NAME, kind="eccube4", secrets=secrets, settings=settings)


def send(engine: Engine, now: datetime, body: bytes = BODY, secret: str = HOOK) -> Nudged:
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"x-eccube-url": "https://shop.example.com/", "x-eccube-signature": signature}
    with writing(engine) as session:
        return nudge(session, CTX, NAME, headers, body, now)


def due(engine: Engine) -> datetime | None:
    with writing(engine) as session:
        row = session.scalars(select(Channel).where(Channel.name == NAME)).one()
        at, row.next_poll_at = row.next_poll_at, NOW + timedelta(days=1)  # a poll has been
        return at


def test_each_change_of_an_order_has_the_shop_polled(engine: Engine) -> None:
    assert send(engine, NOW) is Nudged.TAKEN
    assert due(engine) == NOW
    assert send(engine, NOW + 20 * SECOND) is Nudged.REPEATED
    assert due(engine) == NOW + timedelta(days=1)
    assert send(engine, NOW + 70 * SECOND) is Nudged.TAKEN
    assert due(engine) == NOW + 70 * SECOND


def test_another_order_within_the_minute_is_no_copy(engine: Engine) -> None:
    assert send(engine, NOW) is Nudged.TAKEN
    assert send(engine, NOW + SECOND, BODY.replace(b"13", b"14")) is Nudged.TAKEN


def test_a_wrong_secret_is_refused(engine: Engine) -> None:
    assert send(engine, NOW, secret="another") is Nudged.REFUSED
    assert due(engine) is None
