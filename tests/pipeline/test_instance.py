"""A restored or copied database sends nothing until a person rearms it (P13)."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from tests.factories import NOW
from tests.pipeline.desk import Desk, desk
from tests.pipeline.test_dispatch_sweep import killed_at
from worker.mail.journal import Journal
from worker.mail.transport import Temporary
from worker.pipeline.dispatch import rearm, sweep
from worker.pipeline.dispatch_rearm import Rearmed
from worker.pipeline.instance import LOCKS, check_instance, open_installation, set_mode
from worker.pipeline.stops import active_stops
from worker.rules.states import MessageState, RunMode
from worker.store.engine import open_engine, reading, writing
from worker.store.messages import Message
from worker.store.running import Instance

S = MessageState

__all__ = ["desk"]


@pytest.fixture
def file_desk(sqlite_url: str, tmp_path: Path) -> Desk:
    """A desk whose database is one file that can be copied."""
    return Desk(open_engine(sqlite_url, durable=True), tmp_path / "data")


def backup(desk: Desk) -> Path:
    """A copy of the database as it is now."""
    assert desk.engine.url.database is not None
    database = Path(desk.engine.url.database)
    copy = database.with_name("backup.db")
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    return copy


def restore(desk: Desk, copy: Path) -> None:
    """Put the copy in the place of the database, as an administrator does."""
    url = desk.engine.url
    desk.engine.dispose()
    assert url.database is not None
    for rest in ("-wal", "-shm"):
        Path(url.database + rest).unlink(missing_ok=True)
    shutil.copyfile(copy, url.database)
    desk.engine = open_engine(url.render_as_string(hide_password=False), durable=True)


def lock(desk: Desk) -> str:
    with writing(desk.engine) as session:
        return check_instance(session, desk.installation, desk.journal, NOW).lock


def rearmed(desk: Desk) -> Rearmed:
    with writing(desk.engine) as session:
        report = rearm(session, desk.ctx, desk.installation, desk.journal, by="owner", now=NOW)
    desk.installation = report.installation
    return report


def test_a_new_database_begins_by_capturing(store_url: str, tmp_path: Path) -> None:
    engine = open_engine(store_url, durable=True)
    installation = open_installation(tmp_path / "data", "machine")
    with writing(engine) as session:
        standing = check_instance(session, installation, Journal(tmp_path / "j"), NOW)
    assert (standing.capture_only, standing.lock) == (True, "")
    engine.dispose()


def test_the_same_directory_is_the_same_installation(tmp_path: Path) -> None:
    first = open_installation(tmp_path / "data", "machine")
    assert open_installation(tmp_path / "data", "machine") == first
    assert first.fingerprint == first.here


def test_a_restored_database_sends_nothing(file_desk: Desk) -> None:
    message_id = file_desk.approve()
    copy = backup(file_desk)
    assert file_desk.dispatch().counts == {"sent": 1}
    restore(file_desk, copy)
    result = file_desk.dispatch()
    assert (result.standing.capture_only, result.standing.lock) == (True, "journal_ahead")
    assert result.counts == {"captured": 1}
    assert [mail.message_ref for mail in file_desk.wire.mails] == [message_id]
    assert file_desk.dispatch().standing.lock == "journal_ahead"


def test_rearming_makes_sent_what_the_journal_says_was_sent(file_desk: Desk) -> None:
    sent, waiting = file_desk.approve(), file_desk.approve(due_at=NOW + timedelta(hours=1))
    unsure = file_desk.approve()
    copy = backup(file_desk)
    file_desk.dispatch(limit=1)
    file_desk.journal.sending(unsure, 1, "<u.1@hinata.example>", "test", NOW)
    restore(file_desk, copy)
    assert lock(file_desk) == "journal_ahead"
    report = rearmed(file_desk)
    assert (report.sent, report.unconfirmed, report.unknown) == ([sent], [unsure], [])
    assert lock(file_desk) == ""
    assert [file_desk.read(m).state for m in (sent, unsure)] == [S.SENT, S.UNCONFIRMED]
    assert file_desk.moves(sent) == ["approve", "journal_says", "was_sent"]
    assert file_desk.read(sent).sent_at is not None
    assert file_desk.dispatch(NOW + timedelta(hours=1)).counts == {"sent": 1}
    assert [mail.message_ref for mail in file_desk.wire.mails] == [sent, waiting]


def test_a_mail_older_than_its_approval_in_the_backup_is_not_sent_again(file_desk: Desk) -> None:
    message_id = file_desk.approve()
    file_desk.change(message_id, state=S.IN_REVIEW)
    copy = backup(file_desk)
    file_desk.change(message_id, state=S.APPROVED)
    file_desk.dispatch()
    restore(file_desk, copy)
    assert rearmed(file_desk).sent == [message_id]
    assert file_desk.read(message_id).state is S.SENT


def test_mails_that_only_the_journal_knows_stop_the_shop_for_a_person(file_desk: Desk) -> None:
    copy = backup(file_desk)
    gone = file_desk.approve()
    file_desk.dispatch()
    restore(file_desk, copy)
    report = rearmed(file_desk)
    assert report.unknown == [gone]
    with reading(file_desk.engine) as session:
        assert [stop.id for stop in active_stops(session)] == [report.stop_id]
    again = file_desk.approve()
    file_desk.dispatch()
    assert file_desk.read(again).state is S.ON_HOLD


def test_what_was_only_captured_because_of_the_lock_is_offered_again(file_desk: Desk) -> None:
    file_desk.approve(due_at=NOW - timedelta(hours=2))
    copy = backup(file_desk)
    file_desk.dispatch()
    restore(file_desk, copy)
    late = file_desk.approve()
    file_desk.dispatch()
    assert file_desk.read(late).captured is True
    report = rearmed(file_desk)
    with reading(file_desk.engine) as session:
        offered = [session.get_one(Message, new) for new in report.again]
        assert late in {message.again_of for message in offered}
        assert {message.state for message in offered} == {S.IN_REVIEW}
    assert rearmed(file_desk).again == []


def test_a_killed_worker_is_no_restored_database(desk: Desk) -> None:
    for point in ("claimed", "sending_committed", "sending_journalled", "outcome_journalled"):
        killed_at(desk, point)
        assert lock(desk) == ""


def test_a_failed_journal_or_a_retry_is_no_restored_database(desk: Desk) -> None:
    message_id = desk.approve()
    desk.wire.answers = [Temporary("451 later", code=451)]
    desk.dispatch()
    desk.dispatch(NOW + timedelta(hours=1))
    assert desk.read(message_id).state is S.SENT
    assert lock(desk) == ""


def test_a_second_attempt_in_the_journal_shows_a_restored_database(file_desk: Desk) -> None:
    message_id = file_desk.approve()
    file_desk.wire.answers = [Temporary("451 later", code=451)]
    file_desk.dispatch()
    copy = backup(file_desk)
    file_desk.dispatch(NOW + timedelta(hours=1))
    restore(file_desk, copy)
    assert lock(file_desk) == "journal_ahead"
    assert rearmed(file_desk).sent == [message_id]


def test_a_database_beside_another_directory_is_locked(desk: Desk, tmp_path: Path) -> None:
    desk.installation = open_installation(tmp_path / "elsewhere", "machine")
    message_id = desk.approve()
    assert desk.dispatch().standing.lock == "other_instance"
    assert desk.wire.mails == []
    assert desk.read(message_id).captured is True


def test_a_directory_copied_to_another_place_or_machine_is_locked(
    desk: Desk, tmp_path: Path
) -> None:
    shutil.copytree(desk.folder, tmp_path / "copy")
    for moved in (
        open_installation(tmp_path / "copy", "machine"),
        open_installation(desk.folder, "another machine"),
    ):
        with writing(desk.engine) as session:
            session.get_one(Instance, 1).locked_reason = ""
        desk.installation = moved
        assert lock(desk) == "other_host"
    rearmed(desk)
    assert lock(desk) == ""


def test_a_lost_journal_locks(desk: Desk, tmp_path: Path) -> None:
    desk.approve()
    desk.dispatch()
    desk.journal = Journal(tmp_path / "other" / "journal")
    assert lock(desk) == "journal_missing"
    rearmed(desk)
    assert lock(desk) == ""


def test_rearming_gives_the_directory_a_new_identity_and_keeps_the_mode(desk: Desk) -> None:
    before = desk.installation.instance_id
    rearmed(desk)
    told = json.loads((desk.folder / "instance.json").read_text())
    assert told["instance_id"] == desk.installation.instance_id != before
    with reading(desk.engine) as session:
        row = session.get_one(Instance, 1)
        assert (row.mode, row.armed_by, row.armed_at) == (RunMode.LIVE, "owner", NOW)


def test_the_sweep_gives_what_a_restored_database_left_in_sending_to_a_person(
    file_desk: Desk,
) -> None:
    message_id = killed_at(file_desk, "sending_committed")
    file_desk.age(message_id, sending=901, lease=1)
    restore(file_desk, backup(file_desk))
    assert sweep(file_desk.engine, file_desk.ctx, file_desk.journal, NOW).unconfirmed == [
        message_id
    ]


def test_every_lock_has_words_in_both_languages() -> None:
    assert set(LOCKS) == {"other_instance", "other_host", "journal_ahead", "journal_missing"}
    assert all(japanese and english for japanese, english in LOCKS.values())


def test_a_mode_needs_a_registered_database(store_url: str) -> None:
    engine = open_engine(store_url)
    with writing(engine) as session, pytest.raises(ValueError, match="not registered"):
        set_mode(session, RunMode.LIVE, by="owner", now=NOW)
    engine.dispose()
