"""A login in the browser works once, soon, and only for whoever began it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from connectors.contract import NeedsPerson
from worker.pipeline.channel_admin import pause
from worker.pipeline.channel_login import LIFE, Begun, begin_login, login_worked, take_login
from worker.store.channels import BrowserLogin, Channel
from worker.store.engine import reading, writing
from worker.store.running import Audit

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
NAME, BACK = "own:shop", "https://desk.example.jp/channels/login/back"


@pytest.fixture(autouse=True)
def channel(engine: Engine) -> None:
    with writing(engine) as session:
        session.add(Channel(name=NAME, kind="thebase", family="own", created_at=NOW))


def begun(engine: Engine, session_id: int | None = 7) -> str:
    with writing(engine) as session:
        return begin_login(session, NAME, BACK, "森本", NOW, session_id=session_id)


def taken(engine: Engine, state: str, now: datetime = NOW, session_id: int | None = 7) -> Begun:
    with writing(engine) as session:
        return take_login(session, state, now, session_id=session_id)


def test_a_state_is_taken_once_and_rests_as_a_hash(engine: Engine) -> None:
    state = begun(engine)
    with reading(engine) as session:
        assert state not in session.scalars(select(BrowserLogin.state_hash)).all()
    assert taken(engine, state) == Begun(NAME, BACK, "森本")
    with pytest.raises(NeedsPerson, match="もう使われています"):
        taken(engine, state)


@pytest.mark.parametrize("session_id", [8, None])
def test_somebody_else_can_neither_use_nor_end_it(engine: Engine, session_id: int | None) -> None:
    state = begun(engine)
    with pytest.raises(NeedsPerson, match="始めたログインではありません"):
        taken(engine, state, session_id=session_id)
    assert taken(engine, state).channel == NAME


def test_a_state_of_the_command_line_is_not_for_the_desk(engine: Engine) -> None:
    state = begun(engine, session_id=None)
    with pytest.raises(NeedsPerson, match="始めたログインではありません"):
        taken(engine, state, session_id=7)
    assert taken(engine, state, session_id=None).channel == NAME


@pytest.mark.parametrize("state", ["", "another"])
def test_a_state_that_nobody_made_is_refused(engine: Engine, state: str) -> None:
    begun(engine)
    with pytest.raises(NeedsPerson, match="始めたログインではありません"):
        taken(engine, state)


def test_it_ends_by_itself_and_is_forgotten_later(engine: Engine) -> None:
    state = begun(engine)
    with pytest.raises(NeedsPerson, match="時間が切れました"):
        taken(engine, state, NOW + LIFE)
    with writing(engine) as session:
        begin_login(session, NAME, BACK, "森本", NOW + LIFE * 3)
    with reading(engine) as session:
        assert len(session.scalars(select(BrowserLogin)).all()) == 1


def test_a_login_polls_again_what_a_refusal_stopped_but_not_what_a_person_paused(
    engine: Engine,
) -> None:
    def paused(after: bool) -> bool:
        with writing(engine) as session:
            row = session.scalars(select(Channel)).one()
            pause(session, NAME, "棚卸し", "森本", NOW)
            row.last_error = "ログインの期限が切れました" if after else ""
            login_worked(session, NAME, "森本", NOW + timedelta(minutes=1))
            return row.paused

    assert paused(after=False)
    assert not paused(after=True)


def test_the_records_tell_who_logged_in_and_hold_no_secret(engine: Engine) -> None:
    state = begun(engine)
    with writing(engine) as session:
        login_worked(session, NAME, "森本", NOW)
        rows = session.scalars(select(Audit).order_by(Audit.id)).all()
        told = [(row.by, row.action, row.subject) for row in rows]
        assert state not in str([row.detail for row in rows])
    assert told == [
        ("森本", "channel_login_begun", f"channel:{NAME}"),
        ("森本", "channel_login", f"channel:{NAME}"),
    ]
