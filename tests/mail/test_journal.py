"""The paper beside the database keeps every acknowledged line, whatever happens around it."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from worker.mail.journal import Entry, Journal, JournalUnwritable

AT = datetime(2026, 11, 22, 3, 10, tzinfo=UTC)


def test_what_is_written_is_read_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    assert journal.last_sequence() == 0
    assert journal.sending("m1", 1, "<a@x>", "shop-1", AT) == 1
    assert journal.outcome("m1", 1, "sent", AT + timedelta(seconds=2)) == 2
    assert journal.last_sequence() == 2
    assert list(journal.entries()) == [
        Entry(1, AT, "m1", 1, "sending", "<a@x>", "shop-1"),
        Entry(2, AT + timedelta(seconds=2), "m1", 1, "sent"),
    ]


def test_another_process_sees_the_same(tmp_path: Path) -> None:
    Journal(tmp_path / "journal").sending("m1", 1, "<a@x>", "shop-1", AT)
    second = Journal(tmp_path / "journal")
    assert second.sending("m2", 1, "<b@x>", "shop-1", AT) == 2
    assert second.lookup("m1") == [Entry(1, AT, "m1", 1, "sending", "<a@x>", "shop-1")]


def test_a_message_is_found_and_only_that_one(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    for ref in ("m1", "m10", "m1"):
        journal.sending(ref, 1, f"<{ref}@x>", "m1", AT)
    assert [entry.sequence for entry in journal.lookup("m1")] == [1, 3]
    assert journal.lookup("m") == []


def test_what_has_no_outcome_is_named(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.sending("m1", 1, "<a@x>", "i", AT)
    journal.sending("m2", 1, "<b@x>", "i", AT)
    journal.outcome("m1", 1, "sent", AT)
    journal.sending("m1", 2, "<c@x>", "i", AT)
    assert [(e.message_ref, e.generation) for e in journal.unfinished()] == [("m2", 1), ("m1", 2)]


@pytest.mark.parametrize(
    "torn", [b"0", b'deadbeef {"at":"2026', b"deadbeef {}\n", b"\xff\xfe", b"\n"]
)
def test_a_torn_last_line_harms_nothing_before_or_after(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "journal"
    Journal(path).sending("m1", 1, "<a@x>", "i", AT)
    with path.open("ab") as file:
        file.write(torn)
    journal = Journal(path)
    assert journal.last_sequence() == 1
    assert journal.sending("m2", 1, "<b@x>", "i", AT) == 2
    assert [(e.sequence, e.message_ref) for e in journal.entries()] == [(1, "m1"), (2, "m2")]


def test_a_line_cut_off_anywhere_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    Journal(path).sending("m1", 1, "<a@x>", "i", AT)
    size = path.stat().st_size
    Journal(path).sending("m2", 1, "<b@x>", "i", AT)
    whole = path.read_bytes()
    for end in range(size, len(whole) - 1):
        path.write_bytes(whole[:end])
        journal = Journal(path)
        assert [e.message_ref for e in journal.entries()] == ["m1"]
        assert journal.sending("m3", 1, "<c@x>", "i", AT) == 2
        assert [e.message_ref for e in journal.entries()] == ["m1", "m3"]


def test_full_files_are_kept_and_still_searched(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal", rotate_bytes=400)
    for number in range(1, 21):
        assert journal.sending(f"m{number}", 1, "<a@x>", "i", AT) == number
    assert len(list(tmp_path.glob("journal.0*"))) > 3
    assert [e.sequence for e in journal.entries()] == list(range(1, 21))
    assert [e.sequence for e in journal.lookup("m1")] == [1]
    assert Journal(tmp_path / "journal").last_sequence() == 20


def test_the_sequence_goes_on_right_after_a_rotation(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    Journal(path).sending("m1", 1, "<a@x>", "i", AT)
    path.rename(tmp_path / "journal.000000000001")
    assert Journal(path).last_sequence() == 1
    assert Journal(path).sending("m2", 1, "<b@x>", "i", AT) == 2


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_full_disk_is_told_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "journal"
    journal = Journal(path)
    journal.sending("m1", 1, "<a@x>", "i", AT)
    before = path.read_bytes()
    write = os.write

    def full(handle: int, data: bytes = b"") -> int:
        if call == "write":
            write(handle, data[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(JournalUnwritable, match=r"journal cannot be written: No space left"):
            journal.sending("m2", 1, "<b@x>", "i", AT)
    assert path.read_bytes() == before
    assert journal.sending("m3", 1, "<c@x>", "i", AT) == 2


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(JournalUnwritable):
        Journal(tmp_path / "file" / "journal").sending("m1", 1, "<a@x>", "i", AT)


def test_a_naive_time_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="aware"):
        Journal(tmp_path / "journal").sending("m1", 1, "<a@x>", "i", AT.replace(tzinfo=None))


def test_threads_do_not_lose_or_double_a_number(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal", rotate_bytes=2_000)
    numbers: list[int] = []

    def work(name: str) -> None:
        refs = (f"{name}.{number}" for number in range(25))
        numbers.extend(journal.sending(ref, 1, "<a@x>", "i", AT) for ref in refs)

    threads = [threading.Thread(target=work, args=(str(n),)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(1, 101))
    assert [e.sequence for e in journal.entries()] == list(range(1, 101))


def write_some(path: Path, name: str) -> None:
    journal = Journal(path, rotate_bytes=2_000)
    for number in range(25):
        journal.sending(f"{name}.{number}", 1, "<a@x>", "i", AT)


def test_processes_do_not_lose_or_double_a_number(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=write_some, args=(path, str(n))) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    entries = list(Journal(path).entries())
    assert [e.sequence for e in entries] == list(range(1, 76))
    assert len({e.message_ref for e in entries}) == 75


def test_no_acknowledged_line_is_lost_when_the_writer_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys;from datetime import datetime,UTC;from pathlib import Path\n"
        "from worker.mail.journal import Journal\n"
        "j=Journal(Path(sys.argv[1]),rotate_bytes=3000)\n"
        "while True: print(j.sending('m',1,'<a@x>','i',datetime.now(UTC)),flush=True)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "journal")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        acknowledged = [int(writer.stdout.readline()) for _ in range(60)]
        os.kill(writer.pid, signal.SIGKILL)
        acknowledged += [int(line) for line in writer.stdout if line.endswith(b"\n")]
    journal = Journal(tmp_path / "journal")
    sequences = [e.sequence for e in journal.entries()]
    assert sequences[: len(acknowledged)] == acknowledged
    assert journal.sending("n", 1, "<b@x>", "i", AT) == len(sequences) + 1


@pytest.mark.parametrize("rotate_bytes", [200, 32 * 1024 * 1024])
def test_newer_entries_are_found_from_the_tail_and_from_rotated_files(
    tmp_path: Path, rotate_bytes: int
) -> None:
    journal = Journal(tmp_path / "journal", rotate_bytes)
    assert journal.newer(0) == []
    for number in range(1, 8):
        journal.sending(f"m{number}", 1, "<a@x>", "shop-1", AT)
    for after in range(9):
        found = [entry.sequence for entry in journal.newer(after)]
        assert found == list(range(after + 1, 8))


def test_newer_entries_beyond_the_tail_are_found_too(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    for _ in range(60):
        journal.sending("m", 1, "<" + "a" * 3000 + "@x>", "shop-1", AT)
    assert [entry.sequence for entry in journal.newer(3)] == list(range(4, 61))
