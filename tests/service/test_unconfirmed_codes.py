"""Whatever happens in whatever order: no mail and no card tells a code its shop has not made."""

from __future__ import annotations

import base64
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from connectors.contract import NeedsPerson, TryLater
from tests.documents import KEY
from tests.folders import ROOT
from tests.pipeline import planning as p
from tests.service.till import SHIPPED, Crash, House, Till
from worker.mail.journal import Journal
from worker.mail.transport.capture import CaptureTransport
from worker.minting import mint_due
from worker.pipeline.coupons_declared import resume
from worker.pipeline.dispatch import Transports, dispatch_due
from worker.pipeline.instance import check_instance, open_installation
from worker.pipeline.packing import packing_list
from worker.pipeline.render import recheck_many, render_due
from worker.pipeline.review_actions import approve
from worker.pipeline.review_words import Refused
from worker.pipeline.verify_coupons import told_too_early
from worker.rules.states import MessageState
from worker.runtime import Runtime
from worker.settings import Settings
from worker.store.messages import Message
from worker.store.orders import OrderRow

CODE = re.compile(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]\b")
WORDS = (
    *("order", "ship", "forward", "send", "mint", "mint", "wait", "return", "cancel"),
    *("busy", "person", "resume", "taken", "refuse", "job", "dies", "used"),
)
STEPS = st.lists(st.tuples(st.sampled_from(WORDS), st.integers(0, 5)), max_size=30)
A_LIFE = [("order", 0), ("mint", 0), ("ship", 0), ("forward", 0), ("send", 0)]


@pytest.fixture
def template(_sqlite_template: Path) -> Path:
    """A migrated store to copy."""
    return _sqlite_template


@contextmanager
def a_house(folder: Path, template: Path) -> Iterator[House]:
    """An installation whose shop is the pretend till."""
    folder.mkdir()
    shutil.copyfile(template, folder / "okaeri.db")
    shutil.copytree(ROOT / "config", folder / "config")
    made = House(Runtime(Settings(data=folder, key=base64.b64encode(KEY).decode())), Till())
    made.milestones()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("worker.minting.open_channel_coupons", lambda *_: made.till)
        yield made
    made.runtime.dispose()


def words_of(mail: Path) -> str:
    """All the words of a captured mail, decoded."""
    parsed = message_from_bytes(mail.read_bytes(), policy=policy.default)
    parts = [part for part in parsed.walk() if part.get_content_maintype() == "text"]
    return "\n".join([str(parsed["Subject"]), *(part.get_content() for part in parts)])


class Teller:
    """Plays steps, and looks after each at everything that was told to anybody."""

    def __init__(self, house: House) -> None:
        self.house, self.till = house, house.till
        self.orders: list[tuple[int, int]] = []
        self.mailed: list[set[str]] = []

    def play(self, what: str, which: int) -> None:
        getattr(self, what)(which)
        self.look_at_cards()

    def _pick(self, which: int) -> tuple[int, int] | None:
        return self.orders[which % len(self.orders)] if self.orders else None

    def order(self, _which: int) -> None:
        self.orders.append(self.house.visit())
        self.house.settle(self.orders[-1][0])

    def _change(self, which: int, **values: object) -> None:
        found = self._pick(which)
        if found is not None:
            self.house.change(found[1], plan_due=True, **values)
            self.house.settle(found[0])

    def ship(self, which: int) -> None:
        self._change(which, **SHIPPED)

    def cancel(self, which: int) -> None:
        self._change(which, life="cancelled", counting=False)

    # Named like the step; "return" itself is a word of the language.
    def come_back(self, which: int) -> None:
        self._change(which, fulfilment="returned", counting=False)

    def forward(self, _which: int) -> None:
        with self.house.session() as session:
            p.planned(session, self.house.ctx, self.house.now)
            due = session.scalars(select(Message.due_at).order_by(Message.due_at)).all()
        self.house.now = max([self.house.now, *due[-1:]])
        with self.house.session() as session:
            render_due(session, self.house.ctx, self.house.now)

    def send(self, _which: int) -> None:
        house = self.house
        with house.session() as session:
            for message in session.scalars(
                select(Message).where(Message.state == MessageState.IN_REVIEW)
            ):
                with suppress(Refused):  # the desk says why, the mail stays
                    approve(session, house.ctx, message.id, by="mori", now=house.now)
        house.later(minutes=10)
        outbox = house.runtime.settings.outbox
        before = set(outbox.glob("*.eml"))
        self._dispatch(outbox)
        for mail in set(outbox.glob("*.eml")) - before:
            self.mailed.append(self.look_at(words_of(mail)))

    def _dispatch(self, outbox: Path) -> None:
        house = self.house
        data = house.runtime.settings.data
        journal = Journal(data / "dispatch.jsonl")
        installation = open_installation(data)
        with house.session() as session:
            check_instance(session, installation, journal, house.now)
        dispatch_due(
            house.runtime.durable, house.ctx, Transports(capture=CaptureTransport(outbox)),
            journal, installation, house.now, recheck=recheck_many, clock=lambda: house.now,
        )  # fmt: skip

    def mint(self, _which: int) -> None:
        try:
            mint_due(self.house.runtime, self.house.now)
        except Crash:
            self.house.free_leases()

    def wait(self, which: int) -> None:
        self.house.later(minutes=7 * which + 1)

    def busy(self, _which: int) -> None:
        self.till.raises.append(TryLater("busy"))

    def person(self, _which: int) -> None:
        self.till.raises.append(NeedsPerson("The key ended.", "Renew it."))

    def resume(self, _which: int) -> None:
        with self.house.session() as session:
            if self.orders:
                resume(session, "five", self.house.now)

    def taken(self, which: int) -> None:
        self.till.taken = which

    def refuse(self, which: int) -> None:
        self.till.refuses = "too long" if which % 2 else ""

    def job(self, which: int) -> None:
        self.till.polls = which or None

    def dies(self, _which: int) -> None:
        self.till.dies = True

    def used(self, which: int) -> None:
        for kept in list(self.till.coupons.values())[which : which + 1]:
            kept.used = True

    def look_at_cards(self) -> None:
        with self.house.session() as session:
            rows = packing_list(session, self.house.ctx, self.house.now.date())
        for row in rows:
            if row.packed_at is None:
                self.look_at(f"{row.coupon} {row.text}")

    def look_at(self, text: str) -> set[str]:
        found = set(CODE.findall(text))
        for code in found:
            assert code in self.till.coupons, "a code was told that the shop has not made"
            assert not self.till.coupons[code].ended, "a code was told that is dead"
        return found


setattr(Teller, "return", Teller.come_back)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_no_code_is_told_before_its_shop_has_made_it_or_after_it_was_ended(
    steps: list[tuple[str, int]],
    tmp_path_factory: pytest.TempPathFactory,
    template: Path,
) -> None:
    with a_house(tmp_path_factory.mktemp("told") / "data", template) as house:
        teller = Teller(house)
        for step in [("order", 0), *steps, *A_LIFE]:
            teller.play(*step)


def test_a_life_without_trouble_ends_with_one_mail_that_tells_its_code(
    tmp_path: Path, template: Path
) -> None:
    with a_house(tmp_path / "data", template) as house:
        teller = Teller(house)
        for step in A_LIFE:
            teller.play(*step)
        assert teller.mailed == [set(house.till.coupons)]
        assert len(house.till.coupons) == 1


def test_a_code_taken_back_after_approval_stops_the_mail_at_the_claim(
    tmp_path: Path, template: Path
) -> None:
    with a_house(tmp_path / "data", template) as house:
        teller = Teller(house)
        for step in A_LIFE[:-1]:
            teller.play(*step)
        (customer, order) = teller.orders[0]
        with house.session() as session:
            message = session.scalars(select(Message)).one()
            approve(session, house.ctx, message.id, by="mori", now=house.now)
            row = session.get_one(OrderRow, order)
            row.fulfilment, row.counting = "returned", False
        house.settle(customer)
        assert house.codes() == ["ending"]
        with house.session() as session:
            assert told_too_early(session, house.ctx) == [message.id]
        house.now += timedelta(minutes=10)
        teller._dispatch(house.runtime.settings.outbox)
        assert list(house.runtime.settings.outbox.glob("*.eml")) == []
        assert house.mail().state is not MessageState.APPROVED
        with house.session() as session:
            assert told_too_early(session, house.ctx) == []
