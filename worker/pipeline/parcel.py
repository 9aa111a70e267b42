"""What a reward means in the hand: things laid into a parcel, a code on a card or in a mail."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.pipeline.coupons import (
    pool_for,
    recover_coupon,
    staff_task,
    take_coupon,
    void_coupon,
)
from worker.rules.gifts import SharedStage, shared_stage
from worker.rules.milestones import reward_name
from worker.rules.shop import Reward
from worker.rules.states import CouponState
from worker.store.orders import OrderRow
from worker.store.rewards import CouponCode, CouponPool, Grant, PackingItem


class Parcel:
    """Puts in, takes out, issues and recovers the things of one grant."""

    def __init__(self, session: Session, ctx: Context, now: datetime) -> None:
        self.session, self.ctx, self.now = session, ctx, now

    def name(self, reward: Reward | None) -> str:
        """How the ledger names a reward."""
        return reward_name(reward)

    def put_in(self, grant: Grant, reward: Reward | None, order_id: int, *, sample: bool) -> None:
        """List card and sample for the order's parcel; a card with a code needs its code first."""
        grant.reward = reward_name(reward)
        grant.reason = {key: each for key, each in grant.reason.items() if key != "coupon"}
        if reward is None:
            return
        if reward.card:
            self._card(grant, reward, order_id)
        if reward.sample and sample:
            self._item(grant, order_id, "sample", reward.sample)

    def retry(self, grant: Grant, reward: Reward | None, order_id: int) -> None:
        """Where the pool was empty at reserve: look again."""
        if reward is not None and grant.reason.get("code") == "pool_empty":
            grant.reason = {"code": "ready_to_pack"}
            self._card(grant, reward, order_id)

    def issue(self, grant: Grant, reward: Reward | None) -> bool:
        """The code is the customer's from dispatch on; False where the pool has none."""
        if reward is None or not reward.coupon_pool or "coupon" in grant.reason:
            return True
        without = self._without(grant, reward, printed=grant.reserved_at is not None)
        if without:
            self._say_without(grant, reward, without)
            return True
        if self._shared(reward.coupon_pool):
            return True
        if not self._code(grant, reward):
            return False
        code = self.session.get_one(CouponCode, grant.coupon_id)
        if code.state is CouponState.RESERVED:
            code.state, code.changed_at = CouponState.ISSUED, self.now
        return True

    def withdraw(self, grant: Grant, why: str) -> None:
        """The parcel goes out without the reward, or not at all: things out, code dead."""
        for item in self._items(grant):
            item.withdrawn_at = self.now
            if item.packed_at is not None:
                detail = {"order": item.order_id, "item": item.item, "why": why}
                staff_task(self.session, "take_out", f"packing:{item.id}", detail, self.now)
        code = self._held(grant)
        if code is not None:
            void_coupon(self.session, code, why, self.now)

    def recover(self, grant: Grant) -> bool | None:
        """After a return: whether nothing of the reward stays with the customer.

        None: the shop is being asked for the code; the next settling knows.

        An unused code is voided. A card without a code, or a sample, cannot be had back: the
        grant stands, or the same milestone would be given twice.
        """
        code = self._held(grant)
        dead = code is None or recover_coupon(self.session, code, "order_returned", self.now)
        if dead is None:
            return None
        if not dead:
            detail = {"order": grant.order_id, "milestone": grant.milestone}
            subject = f"grant:{grant.id}"
            staff_task(self.session, "reward_used_order_returned", subject, detail, self.now)
            return False
        given = self._items(grant)
        return not given or (code is not None and all(i.item.startswith("card") for i in given))

    # --- codes ---

    def _shared(self, pool: str) -> bool:
        chosen = sa.select(CouponPool.shared_code).where(CouponPool.name == pool)
        return self.session.scalar(chosen) is not None

    def _held(self, grant: Grant) -> CouponCode | None:
        if grant.coupon_id is None:
            return None
        return self.session.get(CouponCode, grant.coupon_id)

    def _card(self, grant: Grant, reward: Reward, order_id: int) -> None:
        """With its code; with thanks alone where no code of this channel may be printed."""
        without = self._without(grant, reward, printed=False)
        if without:
            self._say_without(grant, reward, without)
        elif not self._code(grant, reward):
            return
        self._item(grant, order_id, "card", "")

    def _without(self, grant: Grant, reward: Reward, *, printed: bool) -> str:
        """Why this reward goes without its coupon; empty: it has one, or none was promised.

        A pool that does not exist yet counts as empty, not as another channel's: it may come.
        """
        if not reward.coupon_pool or grant.coupon_id is not None:
            return ""
        chosen = sa.select(CouponPool.id).where(CouponPool.name == reward.coupon_pool)
        if self.session.scalar(chosen) is None:
            return ""
        channel = sa.select(OrderRow.channel_id).where(OrderRow.id == grant.order_id)
        at = self.session.scalar(channel)
        pool = None
        if at is not None:
            pool = pool_for(self.session, reward.coupon_pool, at, grant.channel_ids)
        if pool is None:
            return "other_channel"
        stopped = shared_stage(pool.expires_at, self.now) is SharedStage.STOPPED
        return "ending" if pool.shared_code and stopped and not printed else ""

    def _say_without(self, grant: Grant, reward: Reward, why: str) -> None:
        grant.reward = reward_name(replace(reward, coupon_pool=""))
        grant.reason = {**grant.reason, "coupon": why}

    def _code(self, grant: Grant, reward: Reward) -> bool:
        """Whether the card may be printed: it has its code, or needs none of its own."""
        if not reward.coupon_pool or self._shared(reward.coupon_pool):
            return True
        if grant.coupon_id is not None:
            return True
        code = take_coupon(
            self.session, self.ctx, reward.coupon_pool, grant_id=grant.id, now=self.now
        )
        if code is None:
            grant.reason = {"code": "pool_empty", "pool": reward.coupon_pool}
            detail = {"pool": reward.coupon_pool}
            subject = f"pool:{reward.coupon_pool}:{self.now:%Y-%m-%d}"
            staff_task(self.session, "pool_empty", subject, detail, self.now)
            return False
        grant.coupon_id = code.id
        return True

    # --- things ---

    def _items(self, grant: Grant) -> list[PackingItem]:
        chosen = sa.select(PackingItem).where(
            PackingItem.grant_id == grant.id, PackingItem.withdrawn_at.is_(None)
        )
        return list(self.session.scalars(chosen.order_by(PackingItem.id)))

    def _item(self, grant: Grant, order_id: int, item: str, label: str) -> None:
        """One thing per parcel and grant; a second card in one parcel carries its number."""
        for name in (item, f"{item}:{grant.milestone}"):
            row = self.session.scalar(
                sa.select(PackingItem).where(
                    PackingItem.order_id == order_id, PackingItem.item == name
                )
            )
            if row is None:
                row = PackingItem(order_id=order_id, item=name)
                self.session.add(row)
            elif row.grant_id != grant.id and row.withdrawn_at is None:
                continue
            row.grant_id, row.label = grant.id, label
            row.packed_at, row.packed_by, row.withdrawn_at = None, "", None
            break
        self.session.flush()
