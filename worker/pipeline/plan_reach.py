"""Who may be reached, read for a whole set of people at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from worker.pipeline.context import Context
from worker.pipeline.plan_run import Run
from worker.rules.keys import address_hash
from worker.rules.policy import Permission, Reach, permit
from worker.rules.states import ADVERTISING_KINDS, MailKind
from worker.store.channels import Channel
from worker.store.reach_queries import (
    Mailed,
    consented,
    mailed,
    people_with_open_notes,
    people_with_unpaid_orders,
    suppressed,
)

HISTORY_DAYS = 400
_UNPAID_DAYS = 30


@dataclass(frozen=True)
class Book:
    """Suppressions, consent and earlier mails of a set of people and addresses."""

    ctx: Context
    hashes: dict[str, str]
    by_hash: dict[str, tuple[str, bool]]
    by_person: dict[int, tuple[str, bool]]
    agreed: set[tuple[int, str]]
    mails: dict[int, list[Mailed]]
    noted: set[int]
    unpaid: set[int]

    def permission(
        self,
        channel: Channel,
        kind: MailKind,
        address: str | None,
        customer_id: int | None,
        *,
        advertising: bool | None = None,
        erased: bool = False,
    ) -> Permission:
        """Judge whether this mail may be made at all."""
        hashed = self.hashes.get(address or "", "")
        blocks = [
            block
            for block in (self.by_hash.get(hashed), self.by_person.get(customer_id or 0))
            if block is not None
        ]
        reach = Reach(
            family=channel.family,
            kind=kind,
            advertising=kind in ADVERTISING_KINDS if advertising is None else advertising,
            address=address or None,
            suppressed=next((reason for reason, ads_only in blocks if not ads_only), ""),
            ads_suppressed=next((reason for reason, ads_only in blocks if ads_only), ""),
            consented=(channel.id, hashed) in self.agreed,
            relay_ready=channel.name in self.ctx.documents.shop.relays,
            erased=erased,
            incidental_ads=self.ctx.documents.shop.incidental_ads,
        )
        return permit(self.ctx.documents.policy, reach)

    def moments(
        self, customer_id: int | None, kind: MailKind, besides: str | None
    ) -> Sequence[datetime]:
        """When mails of the kind went or go to the person, without the message ``besides``."""
        return [
            m.moment
            for m in self.mails.get(customer_id or 0, ())
            if m.kind is kind and m.message_id != besides
        ]

    def ads(self, customer_id: int, besides: str | None) -> Sequence[datetime]:
        """When advertising mails went or go."""
        mails = self.mails.get(customer_id, ())
        return [m.moment for m in mails if m.advertising and m.message_id != besides]

    def order_mails(self, customer_id: int) -> Sequence[datetime]:
        """When mails about orders went or go."""
        return [m.moment for m in self.mails.get(customer_id, ()) if not m.advertising]


def open_book(
    run: Run,
    people: Iterable[int | None],
    addresses: Iterable[str | None],
    *,
    notes: bool,
    unpaid: bool = False,
) -> Book:
    """Read everything about these people and addresses.

    ``notes`` only where mails are planned, ``unpaid`` orders only where advertising is.
    """
    ids = sorted({person for person in people if person is not None})
    hashes = {a: address_hash(run.ctx.key, a) for a in set(addresses) if a}
    by_hash, by_person = suppressed(run.session, set(hashes.values()), ids)
    mails: dict[int, list[Mailed]] = {}
    for mail in mailed(run.session, ids, _days_ago(run, HISTORY_DAYS)):
        mails.setdefault(mail.customer_id, []).append(mail)
    return Book(
        ctx=run.ctx,
        hashes=hashes,
        by_hash=by_hash,
        by_person=by_person,
        agreed=consented(run.session, set(hashes.values())),
        mails=mails,
        noted=people_with_open_notes(run.session, ids) if notes else set(),
        unpaid=(
            people_with_unpaid_orders(run.session, ids, _days_ago(run, _UNPAID_DAYS))
            if unpaid
            else set()
        ),
    )


def _days_ago(run: Run, days: int) -> datetime:
    return run.now - timedelta(days=days)
