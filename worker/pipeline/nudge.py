"""A signed webhook makes the next poll sooner and does nothing else: the poll is the truth."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from connectors.contract import ChannelConfig, Family, NeedsPerson
from connectors.kit.live import Pings, SameBodies, SignedWebhooks
from connectors.kit.secrets import MemoryVault
from connectors.registry import open_connector
from worker.pipeline.channel_names import find_channel
from worker.pipeline.channel_vault import Keyring
from worker.pipeline.context import Context
from worker.store.channels import Channel, StreamState, WebhookDelivery


class Nudged(StrEnum):
    """What became of a webhook."""

    TAKEN = "taken"
    REPEATED = "repeated"
    REFUSED = "refused"
    PING = "ping"
    """A source tries whether anybody answers."""
    UNKNOWN = "unknown"
    """No such channel, or its kind has no webhooks."""


def nudge(
    session: Session,
    ctx: Context,
    name: str,
    headers: Mapping[str, str],
    raw_body: bytes,
    now: datetime,
) -> Nudged:
    """Check the signature over the bytes as they came, and have the channel polled at once.

    ``headers`` have lower-case names. A delivery that came before, by its name or its body,
    changes nothing. Neither a paused channel nor one whose source asked us to wait is polled
    sooner.
    """
    channel = find_channel(session, name)
    connector = _listener(ctx, channel) if channel is not None else None
    if channel is None or connector is None:
        return Nudged.UNKNOWN
    if isinstance(connector, Pings) and connector.is_ping(headers, raw_body):
        return Nudged.PING
    if not connector.webhook(headers, raw_body):
        return Nudged.REFUSED
    names = _names(connector, headers.get(connector.DELIVERY_HEADER, ""), raw_body, now)
    if not _first(session, channel.id, names, now):
        return Nudged.REPEATED
    _poll_soon(session, channel.id, now)
    return Nudged.TAKEN


def _listener(ctx: Context, channel: Channel) -> SignedWebhooks | None:
    keyring = Keyring.of(ctx.key, ctx.former_keys)
    config = ChannelConfig(
        channel.name, channel.kind, Family(channel.family), channel.settings,
        ctx.documents.shop.zone,
    )  # fmt: skip
    try:
        clear = {key: keyring.unseal(told["cipher"]) for key, told in channel.secrets.items()}
        connector = open_connector(config, vault=MemoryVault(clear))
    except NeedsPerson:
        return None  # the poll of this channel says in words what is wrong with it
    return connector if isinstance(connector, SignedWebhooks) else None


def _names(
    connector: SignedWebhooks, delivery: str, raw_body: bytes, now: datetime
) -> Sequence[str]:
    """What tells a delivery from others: its body, and its name where the source gives one.

    The name is not under the signature, so a copy may carry another one: the body tells it.
    Where the same body comes at each change, it counts once in a stretch of time: a copy has
    the channel polled once in each, which the source's own notices do as well.
    """
    stretch = b""
    if isinstance(connector, SameBodies):
        stretch = b"%d\x00" % (int(now.timestamp()) // connector.SAME_BODY_SECONDS)
    names = [hashlib.sha256(b"body\x00" + stretch + raw_body).hexdigest()]
    if delivery:
        names.append(hashlib.sha256(b"name\x00" + delivery.encode()).hexdigest())
    return names


def _first(session: Session, channel_id: int, names: Sequence[str], now: datetime) -> bool:
    """Note the delivery; False where one of its names came before."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = (
        insert(WebhookDelivery)
        .values([{"channel_id": channel_id, "delivery": each, "at": now} for each in names])
        .on_conflict_do_nothing()
        .returning(WebhookDelivery.delivery)
    )
    return len(session.execute(statement).all()) == len(names)


def _poll_soon(session: Session, channel_id: int, now: datetime) -> None:
    waiting = sa.exists().where(StreamState.channel_id == channel_id, StreamState.failures > 0)
    session.execute(
        sa.update(Channel)
        .where(
            Channel.id == channel_id,
            Channel.paused.is_(False),
            sa.or_(Channel.next_poll_at.is_(None), Channel.next_poll_at > now),
            ~waiting,
        )
        .values(next_poll_at=now)
    )


def forget_deliveries(session: Session, before: datetime) -> int:
    """Delete what is too old to come again; gives how many."""
    gone = session.execute(
        sa.delete(WebhookDelivery)
        .where(WebhookDelivery.at < before)
        .returning(WebhookDelivery.delivery)
    )
    return len(gone.all())
