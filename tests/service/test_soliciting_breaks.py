"""Whatever breaks while a review request goes out, nobody is asked twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from connectors.kit.soliciting import Answer, Replied
from tests.connectors.amazon.stub import AmazonStore, order_id
from tests.factories import NOW
from tests.service.asking import (
    DAY,
    NAME,
    amazon,
    answering,
    calls,
    release,
    requests,
    shop,
    states,
)
from worker import soliciting
from worker.mail.journal import JournalUnwritable
from worker.pipeline.review_words import Refused
from worker.pipeline.solicit import resolve_request
from worker.rules.states import MoveRefused
from worker.runtime import Runtime
from worker.soliciting import open_request_journal, plan_all_requests, solicit_round
from worker.store.leases import DatabaseLater
from worker.store.running import Lease
from worker.store.solicitations import Solicitation

__all__ = ["amazon", "shop"]
ONE, TWO, THREE = (order_id(n) for n in (1, 2, 3))


def aged(runtime: Runtime) -> None:
    """As if the worker of what stands in ``sending`` had died long ago."""
    with runtime.transaction() as session:
        session.execute(update(Solicitation).values(sending_since=DatabaseLater(-1000)))


def test_where_nobody_knows_a_person_must_look(
    shop: Runtime, amazon: AmazonStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(shop, ONE)
    with monkeypatch.context() as patched:
        answering(patched, Replied(Answer.UNKNOWN, "HTTP 500"))
        assert solicit_round(shop, NOW) == {"unsure": 1}
    assert (states(shop)[ONE], requests(shop)[ONE].said) == ("unconfirmed", "HTTP 500")
    for _ in range(2):
        assert solicit_round(shop, NOW + DAY) == {}
    with pytest.raises(Refused):
        release(shop, ONE)
    assert amazon.asked_reviews == []
    resolve(shop, ONE, "was_not_asked")
    assert states(shop)[ONE] == "handoff"
    release(shop, ONE)
    assert solicit_round(shop, NOW) == {"asked": 1}


def resolve(runtime: Runtime, number: str, how: str) -> None:
    with runtime.transaction() as session:
        resolve_request(session, requests(runtime)[number].id, how=how, by="hana", now=NOW)


def test_a_doubt_is_settled_by_hand_once(
    shop: Runtime, amazon: AmazonStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(shop, ONE, TWO)
    answering(monkeypatch, Replied(Answer.UNKNOWN, "HTTP 500"))
    assert solicit_round(shop, NOW) == {"unsure": 2}
    resolve(shop, ONE, "was_asked")
    resolve(shop, TWO, "abandon")
    assert states(shop) == {ONE: "handed_off", TWO: "cancelled", THREE: "handoff"}
    with pytest.raises(MoveRefused):
        resolve(shop, ONE, "was_not_asked")


def test_a_worker_that_dies_before_the_call_leaves_a_doubt(
    shop: Runtime, amazon: AmazonStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(shop, ONE)
    with monkeypatch.context() as patched:
        answering(patched, MemoryError())
        with pytest.raises(MemoryError):
            solicit_round(shop, NOW)
    assert states(shop)[ONE] == "sending"
    assert solicit_round(shop, NOW) == {}
    aged(shop)
    assert solicit_round(shop, NOW) == {"settled": 1}
    assert states(shop)[ONE] == "unconfirmed"
    assert amazon.asked_reviews == []


def test_a_worker_that_dies_after_the_answer_is_settled_by_the_journal(
    shop: Runtime, amazon: AmazonStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(shop, ONE)
    with monkeypatch.context() as patched:
        patched.setattr(soliciting, "record_outcome", dies)
        with pytest.raises(MemoryError):
            solicit_round(shop, NOW)
    assert (states(shop)[ONE], amazon.asked_reviews) == ("sending", [ONE])
    aged(shop)
    assert solicit_round(shop, NOW) == {"settled": 1}
    assert states(shop)[ONE] == "handed_off"


def dies(*_arguments: object) -> None:
    raise MemoryError


def test_a_restored_copy_of_the_store_asks_nobody_again(shop: Runtime, amazon: AmazonStore) -> None:
    release(shop, ONE)
    solicit_round(shop, NOW)
    with shop.transaction() as session:  # the night's backup comes back
        session.execute(delete(Solicitation))
    plan_all_requests(shop, NOW)
    amazon.asked_reviews.clear()  # so that only our own journal can tell
    release(shop, ONE)
    assert solicit_round(shop, NOW) == {"passed": 1}
    assert (states(shop)[ONE], amazon.asked_reviews) == ("unconfirmed", [])


def test_without_its_journal_nobody_is_asked(
    shop: Runtime, amazon: AmazonStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(shop, ONE)
    with monkeypatch.context() as patched:
        patched.setattr("worker.mail.journal.Journal.sending", full)
        with pytest.raises(JournalUnwritable):
            solicit_round(shop, NOW)
    assert (states(shop)[ONE], amazon.asked_reviews) == ("approved", [])
    assert solicit_round(shop, NOW + timedelta(minutes=6)) == {"asked": 1}
    assert len(open_request_journal(shop.settings).lookup(f"request:{NAME}:{ONE}")) == 2


def full(*_arguments: object) -> int:
    raise JournalUnwritable(28, "full")


def test_two_rounds_at_once_ask_once(shop: Runtime, amazon: AmazonStore) -> None:
    release(shop, ONE)
    with shop.hold(f"solicit:{NAME}", 60.0):
        other = Runtime(shop.settings)
        with other.transaction() as session:  # another machine's lease
            session.execute(update(Lease).values(owner="elsewhere:1:1"))
        assert solicit_round(other, NOW) == {}
        other.dispose()
    assert calls(amazon) == 0
