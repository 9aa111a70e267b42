"""A pretend shop's coupons without a network, and an installation whose rewards it makes."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.kit.coupons import CouponTerms, Made, MadeCoupon
from tests.documents import KEY
from tests.folders import ROOT
from tests.pipeline import planning as p
from worker.pipeline.context import Context
from worker.pipeline.rewards import settle_rewards
from worker.rules.states import MailKind
from worker.runtime import Runtime
from worker.settings import Settings
from worker.store.channels import Channel
from worker.store.customers import Customer
from worker.store.engine import writing
from worker.store.messages import Message
from worker.store.orders import OrderRow
from worker.store.reward_sources import CouponMaking, CouponSourceRow
from worker.store.rewards import CouponCode, Grant, StaffTask
from worker.store.running import Lease

SHIPPED: dict[str, Any] = {"fulfilment": "shipped", "shipped_at": p.MONDAY}
DECLARED = """
[coupons.five]
channel = "own:main"
value = 500
minimum = 3000
valid_days = 30
"""


class Crash(BaseException):
    """The process is killed."""


@dataclass
class Kept:
    """A coupon at the shop."""

    reference: str
    terms: CouponTerms
    used: bool = False
    ended: bool = False


@dataclass
class Till:
    """Makes codes as it is told to; attributes make it an odd shop."""

    BINDS = "email"
    coupons: dict[str, Kept] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    raises: list[Exception] = field(default_factory=list)
    """Raised by the next calls, before anything is done."""
    taken: int = 0
    """So many of the next codes belong to somebody else."""
    refuses: str = ""
    dies: bool = False
    """Killed right after the shop has made the codes."""
    polls: int | None = None
    """Codes are made in a job that is still running when asked so often; None: at once."""
    can_void: bool = True
    during: Callable[[], None] = lambda: None
    """What happens elsewhere while we talk."""
    jobs: dict[str, tuple[Sequence[str], CouponTerms]] = field(default_factory=dict)

    def _begin(self, call: str) -> None:
        self.calls.append(call)
        self.during()
        if self.raises:
            raise self.raises.pop(0)

    def make(self, codes: Sequence[str], terms: CouponTerms) -> Made:
        self._begin(f"make {len(codes)}")
        if self.polls is not None:
            token = f"job-{len(self.jobs)}"
            self.jobs[token] = (tuple(codes), terms)
            return Made(pending=token)
        made = self._put(codes, terms)
        if self.dies:
            self.dies = False
            raise Crash
        return made

    def _put(self, codes: Sequence[str], terms: CouponTerms) -> Made:
        confirmed: list[MadeCoupon] = []
        refused: list[tuple[str, str]] = []
        for code in codes:
            kept = self.coupons.get(code)
            if self.refuses or self.taken:
                refused.append((code, self.refuses or "taken"))
                self.taken = max(0, self.taken - 1)
            elif kept is not None and kept.reference != terms.reference:
                refused.append((code, "taken"))
            else:
                self.coupons.setdefault(code, Kept(terms.reference, terms))
                confirmed.append(MadeCoupon(code, f"id-{code[:4]}"))
        return Made(tuple(confirmed), tuple(refused))

    def confirm(self, pending: str) -> Made:
        self._begin("confirm")
        if self.polls:
            self.polls -= 1
            return Made(pending=pending)
        return self._put(*self.jobs[pending])

    def used(self, made: MadeCoupon) -> bool:
        self._begin("used")
        return made.code in self.coupons and self.coupons[made.code].used

    def void(self, made: MadeCoupon) -> bool:
        self._begin("void")
        if self.can_void:
            self.coupons[made.code].ended = True
        return self.can_void


@dataclass
class House:
    """An installation, its pretend shop, and what stands in its store."""

    runtime: Runtime
    till: Till
    now: datetime = p.MONDAY

    @property
    def ctx(self) -> Context:
        """Documents, texts and key."""
        return self.runtime.context()

    def milestones(self, declared: str = DECLARED, reward: str = "card = true") -> None:
        """Write the document: the fifth order earns a coupon of the pool ``five``."""
        text = f"[default]\nnumbers = [5]\nevery = 0\n[default.rewards.5]\n{reward}\n"
        path = self.runtime.settings.config_dir / "milestones.toml"
        path.write_text(f'{text}coupon_pool = "five"\n{declared}', encoding="utf-8")

    @contextmanager
    def session(self) -> Iterator[Session]:
        """One writing transaction."""
        with self.runtime.transaction() as session:
            yield session

    def visit(self, number: int = 5, person: int | None = None, **fields: Any) -> tuple[int, int]:
        """A person's order at the own shop: (customer, order)."""
        with self.session() as session:
            shop = session.scalar(select(Channel))
            shop = shop or p.a_shop(session, kind="woocommerce")
            who = session.get_one(Customer, person) if person else p.a_person(session)
            if person is None:
                p.agree(session, shop, f"person{who.id}@mail.example")
            order = p.a_visit(session, shop, who, number, **fields)
            return who.id, order.id

    def settle(self, customer: int) -> None:
        """Bring the rewards of a person to where they belong."""
        with self.session() as session:
            settle_rewards(session, self.ctx, self.now, customer_ids=[customer])

    def change(self, order: int, **values: Any) -> None:
        """Change an order's row."""
        with self.session() as session:
            row = session.get_one(OrderRow, order)
            for name, value in values.items():
                setattr(row, name, value)

    def later(self, **span: float) -> datetime:
        """Let time pass."""
        self.now += timedelta(**span)
        return self.now

    def codes(self) -> list[str]:
        """The states of all codes, in the order they were promised."""
        with self.runtime.look() as session:
            states = session.scalars(select(CouponCode.state).order_by(CouponCode.id))
            return [state.value for state in states]

    def grant(self) -> tuple[str, str]:
        """State and reason of the one reward."""
        with self.runtime.look() as session:
            grant = session.scalars(select(Grant)).one()
            return grant.state.value, str(grant.reason["code"])

    def tasks(self) -> list[StaffTask]:
        """What staff are asked to do."""
        with self.session() as session:
            return list(session.scalars(select(StaffTask).order_by(StaffTask.id)))

    def source(self) -> CouponSourceRow:
        """How the one live pool stands."""
        with self.session() as session:
            return session.scalars(select(CouponSourceRow)).one()

    def makings(self) -> list[CouponMaking]:
        """What the shop knows of each code."""
        with self.session() as session:
            return list(session.scalars(select(CouponMaking).order_by(CouponMaking.code_id)))

    def mail(self) -> Message:
        """The one milestone mail."""
        with self.session() as session:
            chosen = select(Message).where(Message.kind == MailKind.MILESTONE)
            return session.scalars(chosen).one()

    def free_leases(self) -> None:
        """The process that held them is dead."""
        with writing(self.runtime.engine) as session:
            for lease in session.scalars(select(Lease)):
                session.delete(lease)


@pytest.fixture
def bare_house(store_url: str, tmp_path: Path) -> Iterator[House]:
    """A shop whose fifth order earns a coupon made live, on each database; it talks by itself."""
    data = tmp_path / "house"
    data.mkdir()
    shutil.copytree(ROOT / "config", data / "config")
    key = base64.b64encode(KEY).decode()
    settings = Settings(data=data, database_url=store_url, key=key)
    made = House(Runtime(settings), Till())
    made.milestones()
    yield made
    made.runtime.dispose()


@pytest.fixture
def house(bare_house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """The same with the pretend till instead of a network."""
    monkeypatch.setattr("worker.minting.open_channel_coupons", lambda *_: bare_house.till)
    return bare_house
