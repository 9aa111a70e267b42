"""Which channel an order of a file belongs to, and the making of channels on first use."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connectors.contract import Family, NeedsPerson
from worker.rules.states import MailKind
from worker.store.channels import Channel, ChannelKind
from worker.store.order_queries import ORDERS

_NAME = re.compile(r"[a-z0-9]+:[^\s:/\\]{1,100}")
_NOT_IN_NAMES = re.compile(r"[\W_]+")

# A store that names a marketplace must never be mailed as one's own shop.
_FAMILY_WORDS: tuple[tuple[str, Family], ...] = (
    ("楽天", Family.RAKUTEN),
    ("rakuten", Family.RAKUTEN),
    ("yahoo", Family.YAHOO),
    ("ヤフー", Family.YAHOO),
    ("amazon", Family.AMAZON),
    ("アマゾン", Family.AMAZON),
    ("au pay", Family.AUPAY),
    ("aupay", Family.AUPAY),
    ("wowma", Family.AUPAY),
    ("qoo10", Family.QOO10),
)
WAITING_WINDOW = timedelta(days=35)
"""Orders up to this long before ``active_from`` have occasions too (follow-ups of late)."""


def family_of(name: str) -> Family:
    """Tell the family from a channel's name. Raises NeedsPerson where the name says none."""
    prefix = name.partition(":")[0]
    if not _NAME.fullmatch(name) or prefix not in {family.value for family in Family}:
        families = ", ".join(family.value for family in Family)
        raise NeedsPerson(
            f"チャネル名「{name}」が正しくありません。{name!r} is no channel name.",
            f"「own:main」のように書いてください ({families})。Write family:name, e.g. own:main.",
        )
    return Family(prefix)


def channel_of_store(store: str | None, given: str | None, stores: dict[str, str]) -> str:
    """Name the channel of a store: by the declared mapping, its own full name, else made up.

    ``given`` is a channel or a family; without a store it must be a channel.
    """
    if not store:
        if given is None or ":" not in given:
            raise NeedsPerson(
                "どのチャネルの注文か分かりません。The file does not say which channel it is of.",
                "--channel own:main のように指定してください。Give --channel family:name.",
            )
        return given
    if store in stores:
        return stores[store]
    if _NAME.fullmatch(store) and store.partition(":")[0] in {f.value for f in Family}:
        return store
    folded = unicodedata.normalize("NFKC", store).casefold()
    said = next((family.value for word, family in _FAMILY_WORDS if word in folded), None)
    family = said or (given or Family.OWN.value).partition(":")[0]
    slug = _NOT_IN_NAMES.sub("-", folded).strip("-")[:60] or "store"
    return f"{family}:{slug}"


def find_channel(session: Session, name: str) -> Channel | None:
    """Find a channel by name."""
    return session.scalars(sa.select(Channel).where(Channel.name == name)).one_or_none()


def open_channel(session: Session, name: str, now: datetime) -> tuple[Channel, bool]:
    """Find a channel or make it; says whether it was made."""
    found = find_channel(session, name)
    if found is not None:
        return found, False
    family = family_of(name)
    made = Channel(name=name, kind="csv_file", family=family.value, created_at=now)
    session.add(made)
    session.flush()
    return made, True


def activate(
    session: Session,
    channel: Channel,
    active_from: datetime,
    by: str,
    kinds: Iterable[MailKind] = tuple(MailKind),
) -> None:
    """Let kinds of the channel plan from an instant on; its orders since are looked at."""
    for kind in kinds:
        row = session.get(ChannelKind, (channel.id, kind))
        if row is None:
            row = ChannelKind(channel_id=channel.id, kind=kind)
            session.add(row)
        row.active_from, row.by = active_from, by
    session.flush()
    session.execute(
        sa.update(ORDERS)
        .where(
            ORDERS.c.channel_id == channel.id,
            ORDERS.c.ordered_at >= active_from - WAITING_WINDOW,
        )
        .values(plan_due=True)
    )
