"""The table of moves: whatever happens, nothing is sent unapproved and nothing final moves."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from worker.rules.states import (
    FINAL,
    MAYBE_OUT,
    MOVES,
    OUT,
    Actor,
    MessageState,
    MoveRefused,
    move,
    moves_from,
)

S = MessageState
NAMES = sorted({each.name for each in MOVES})
_AFTER_SENT = {"bounce", "complain"}
EVIDENCE = {"journal_says"}
"""A restored database learns from the journal that what it holds as waiting was handed over."""


class Life(RuleBasedStateMachine):
    """One message; anybody tries any move at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.state = S.SCHEDULED
        self.approved = False
        self.on_paper = False
        self.was_out = False

    @rule(name=st.sampled_from(NAMES), actor=st.sampled_from(Actor))
    def attempt(self, name: str, actor: Actor) -> None:
        """Try a move; the table refuses or allows it."""
        before = self.state
        try:
            allowed = move(name, before, actor)
        except MoveRefused:
            assert name not in moves_from(before, actor)
            return
        assert name in moves_from(before, actor)
        self.state = allowed.target
        self.approved = self.approved or allowed.target is S.APPROVED
        self.on_paper = self.on_paper or name in EVIDENCE
        self.check(before, name)

    def check(self, before: MessageState, name: str) -> None:
        """What must hold of every single step."""
        if before in FINAL:
            assert before is S.BOUNCED
            assert self.state is S.COMPLAINED
        if self.state is S.SENDING:
            assert before in {S.APPROVED, S.RETRY_WAIT}
        if before in OUT:
            assert self.state in OUT
            assert name in _AFTER_SENT

    @invariant()
    def nothing_is_out_that_nobody_released(self) -> None:
        """Sent, or perhaps sent, only after an approval or on the journal's word."""
        if self.state in MAYBE_OUT:
            assert self.approved or self.on_paper


Life.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
TestLife = Life.TestCase


def _reachable(without: set[str]) -> set[MessageState]:
    """States that can be reached from the start without the given moves."""
    reached, grown = {S.SCHEDULED}, True
    while grown:
        new = {
            each.target for each in MOVES if each.name not in without and each.sources & reached
        } - reached
        reached |= new
        grown = bool(new)
    return reached


def test_every_state_can_be_reached() -> None:
    assert _reachable(without=set()) == set(S)


def test_without_an_approval_nothing_can_be_sent() -> None:
    approvals = {each.name for each in MOVES if each.target is S.APPROVED}
    assert approvals == {"approve", "auto_approve"}
    assert _reachable(without=approvals | EVIDENCE) & MAYBE_OUT == set()


def test_only_dispatch_sends_and_only_from_what_was_approved() -> None:
    into = [each for each in MOVES if each.target is S.SENDING]
    assert [(each.name, each.sources, each.actors) for each in into] == [
        ("send", frozenset({S.APPROVED, S.RETRY_WAIT}), frozenset({Actor.DISPATCH}))
    ]


def test_nothing_goes_from_sending_back_to_approved() -> None:
    targets = {each.target for each in MOVES if S.SENDING in each.sources}
    assert targets == {S.SENT, S.RETRY_WAIT, S.FAILED, S.UNCONFIRMED}


def test_only_a_person_says_that_a_doubtful_mail_was_not_sent() -> None:
    back = [each for each in MOVES if each.sources & {S.UNCONFIRMED} and each.target not in OUT]
    assert {(each.name, *each.actors) for each in back} == {
        ("was_not_sent", Actor.STAFF),
        ("abandon", Actor.STAFF),
    }


@pytest.mark.parametrize("state", sorted(FINAL - {S.BOUNCED}))
def test_nothing_moves_a_final_message(state: MessageState) -> None:
    assert [moves_from(state, actor) for actor in Actor] == [(), (), ()]


def test_no_name_stands_twice_in_the_table() -> None:
    assert len(NAMES) == len(MOVES)
