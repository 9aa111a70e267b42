"""Captured mails: whole files, one per mail, never overwritten."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from worker.mail.transport import Accepted, Permanent, Prepared, Temporary
from worker.mail.transport.capture import CaptureTransport

MAIL = Prepared(
    "m1", "<abc23.1@order.example>", "b@x.example", "hanako@gmail.com", b"Subject: x\r\n\r\n"
)


def test_an_accepted_mail_is_one_file_named_as_exports_name_the_message(tmp_path: Path) -> None:
    said: list[Accepted] = []
    outbox = CaptureTransport(tmp_path / "outbox")
    accepted = outbox.send(MAIL, said.append)
    assert said == [accepted] == [Accepted("captured as m1.eml")]
    assert [p.name for p in (tmp_path / "outbox").iterdir()] == ["m1.eml"]
    assert (tmp_path / "outbox/m1.eml").read_bytes() == MAIL.data


def test_advertisements_are_captured(tmp_path: Path) -> None:
    assert CaptureTransport(tmp_path).send(replace(MAIL, is_advertisement=True))


def test_the_same_mail_again_is_still_one_file(tmp_path: Path) -> None:
    outbox = CaptureTransport(tmp_path)
    assert outbox.send(MAIL) == outbox.send(MAIL)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_second_generation_is_a_file_of_its_own(tmp_path: Path) -> None:
    outbox = CaptureTransport(tmp_path)
    outbox.send(MAIL)
    outbox.send(replace(MAIL, message_id="<abc23.2@order.example>", data=b"again"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m1.2.eml", "m1.eml"]


def test_another_mail_never_replaces_a_captured_one(tmp_path: Path) -> None:
    outbox = CaptureTransport(tmp_path)
    outbox.send(MAIL)
    said: list[Accepted] = []
    with pytest.raises(Permanent):
        outbox.send(replace(MAIL, data=b"other"), said.append)
    assert said == []
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [MAIL.data]


@pytest.mark.parametrize(
    "message_ref", ["../../etc/passwd", "a/b", "..", ".hidden", "", "a\x00", "a\n"]
)
def test_a_messages_id_cannot_lead_out_of_the_outbox(tmp_path: Path, message_ref: str) -> None:
    with pytest.raises(Permanent):
        CaptureTransport(tmp_path).send(replace(MAIL, message_ref=message_ref))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("step", ["fsync", "link"])
def test_a_full_disk_is_temporary_and_leaves_no_half_mail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*_args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, step, full)
    said: list[Accepted] = []
    with pytest.raises(Temporary, match="the disk is full") as caught:
        CaptureTransport(tmp_path).send(MAIL, said.append)
    assert caught.value.needs_person
    assert said == []
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_without_links_still_never_overwrites(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_args: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    outbox = CaptureTransport(tmp_path)
    assert outbox.send(MAIL) == outbox.send(MAIL)
    with pytest.raises(Permanent):
        outbox.send(replace(MAIL, data=b"other"))
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [MAIL.data]
