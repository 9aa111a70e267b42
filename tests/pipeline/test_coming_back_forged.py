"""A forged or broken bounce never stops anybody's mail."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from tests.factories import NOW
from tests.mail.coming_back.corpus import names
from tests.pipeline.returning import back, blocks, followed, out, path_of, take
from worker.mail.coming_back.return_path import candidates, proved_tail, return_path
from worker.pipeline.context import Context
from worker.rules.states import MessageState
from worker.store.channels import Channel
from worker.store.ulids import new_ulid

LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


@pytest.mark.parametrize("name", [n for n in names() if not n.startswith(("human", "vac", "auto"))])
def test_no_notice_to_a_wrong_return_path_changes_anything(
    session: Session, channel: Channel, ctx: Context, name: str
) -> None:
    message = out(session, channel)
    before = followed(session)
    forged = path_of(message, b"somebody else's key")
    # It even knows the Message-ID: a wrong proof is reason enough to believe nothing.
    assert take(session, ctx, back(session, name, message, path=forged)).outcome == "forged"
    assert (followed(session), message.state) == (before, MessageState.SENT)


_SETTINGS = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@_SETTINGS
@given(
    proof=st.text(LETTERS, min_size=8, max_size=8),
    name=st.sampled_from(["postfix-unknown-user", "qmail", "exim", "arf-abuse", "two-recipients"]),
)
def test_a_guessed_proof_stops_nobody(
    session: Session, channel: Channel, ctx: Context, proof: str, name: str
) -> None:
    message = out(session, channel)
    before, stopped = followed(session), blocks(session)
    path = path_of(message)
    guessed = path.replace(path[25:33], proof)
    if guessed != path:
        take(session, ctx, back(session, name, message, path=guessed))
        assert (followed(session), blocks(session)) == (before, stopped)


@_SETTINGS
@given(
    start=st.integers(0, 3000),
    length=st.integers(0, 300),
    noise=st.binary(max_size=60),
    name=st.sampled_from([n for n in names() if n != "human-reply"]),
)
def test_a_notice_without_proof_stops_nobody_however_it_is_broken(
    session: Session,
    channel: Channel,
    ctx: Context,
    start: int,
    length: int,
    noise: bytes,
    name: str,
) -> None:
    message = out(session, channel)
    stopped = blocks(session)
    raw = back(session, name, message, path="shop@hinata.example", mail_id="<no@where.example>")
    take(session, ctx, raw[:start] + noise + raw[start + length :])
    assert (blocks(session), message.state) == (stopped, MessageState.SENT)


def test_a_return_path_has_its_form_and_proves_itself_only() -> None:
    path = return_path(b"key", "01KABCDEFGHJKMNPQRSTVWXYZ0", "Bounce.Example")
    tail = "bcdefghjkmnpqrstvwxyz0"
    assert path.startswith(f"b+{tail}.")
    assert path.endswith("@bounce.example")
    assert len(path.partition("@")[0]) == 2 + 22 + 1 + 8
    assert proved_tail([b"other", b"key"], path) == tail
    assert proved_tail([b"other"], path) is None
    assert proved_tail([b"key"], path.replace("bcde", "bcdf")) is None


def test_an_id_is_found_again_by_its_end_for_a_year() -> None:
    for days in (0, 1, 13, 200, 365):
        made = new_ulid(NOW - timedelta(days=days))
        assert made in candidates(made[4:].lower(), NOW)
