"""Profiles of a store that was filled before they had keys are found after the migration."""

from __future__ import annotations

from importlib import import_module

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Engine

from tests.factories import NOW, make_channel
from worker.rules.states import IdentityKind
from worker.store.customers import Customer, CustomerProfile, Identity
from worker.store.engine import writing


def test_older_profiles_get_their_keys(engine: Engine) -> None:
    migration = import_module("worker.store.migrations.versions.0004_find_customers")
    with writing(engine) as session:
        channel = make_channel(session)
        for place, name in enumerate(("髙橋 美咲", "山口 さくら")):
            customer = Customer(created_at=NOW)
            session.add(customer)
            session.flush()
            kana = "タカハシ ミサキ" if not place else None
            phone = "090-0000-0001" if not place else None
            row = {"customer_id": customer.id, "name": name, "kana": kana, "phone": phone}
            session.execute(sa.insert(CustomerProfile).values(**row))
            if not place:
                key = Identity(
                    channel_id=channel.id,
                    kind=IdentityKind.MEMBER,
                    key_hash="h",
                    customer_id=customer.id,
                    first_seen_at=NOW,
                )
                session.add(key)
    for _ in range(2):
        with engine.begin() as connection:
            with Operations.context(MigrationContext.configure(connection)):
                migration._fill_keys()
            columns = (
                *(CustomerProfile.name_key, CustomerProfile.kana_key),
                *(CustomerProfile.phone_tail, CustomerProfile.is_member),
            )
            rows = connection.execute(sa.select(*columns).order_by(CustomerProfile.customer_id))
            assert [tuple(row) for row in rows] == [
                ("高橋美咲", "タカハシミサキ", "10000000090", True),
                ("山口サクラ", "ヿ", None, False),
            ]
