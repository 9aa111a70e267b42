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


def test_an_accepted_mail_is_one_file_named_by_its_message_id(tmp_path: Path) -> None:
    said: list[Accepted] = []
    outbox = CaptureTransport(tmp_path / "outbox")
    accepted = outbox.send(MAIL, said.append)
    assert said == [accepted] == [Accepted("captured as abc23.1@order.example.eml")]
    assert [p.name for p in (tmp_path / "outbox").iterdir()] == ["abc23.1@order.example.eml"]
    assert (tmp_path / "outbox/abc23.1@order.example.eml").read_bytes() == MAIL.data


def test_advertisements_are_captured(tmp_path: Path) -> None:
    assert CaptureTransport(tmp_path).send(replace(MAIL, is_advertisement=True))


def test_the_same_mail_again_is_still_one_file(tmp_path: Path) -> None:
    outbox = CaptureTransport(tmp_path)
    assert outbox.send(MAIL) == outbox.send(MAIL)
    assert len(list(tmp_path.iterdir())) == 1


def test_another_mail_never_replaces_a_captured_one(tmp_path: Path) -> None:
    outbox = CaptureTransport(tmp_path)
    outbox.send(MAIL)
    said: list[Accepted] = []
    with pytest.raises(Permanent):
        outbox.send(replace(MAIL, data=b"other"), said.append)
    assert said == []
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [MAIL.data]


@pytest.mark.parametrize(
    "message_id", ["<../../etc/passwd>", "<a/b@x>", "a@x", "<.hidden@x>", "<>", "<a\x00@x>"]
)
def test_a_message_id_cannot_lead_out_of_the_outbox(tmp_path: Path, message_id: str) -> None:
    with pytest.raises(Permanent):
        CaptureTransport(tmp_path).send(replace(MAIL, message_id=message_id))
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
