"""Folder and IMAP mailbox: each mail is read once, put aside by what it was, and never lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mail.coming_back.imap_box import Box, ImapServer
from worker.mail.coming_back.folder import Maildir
from worker.mail.coming_back.imap import ImapMailbox, ImapSettings
from worker.mail.coming_back.mailbox import MailboxUnreachable
from worker.mail.coming_back.parts import LONGEST


@pytest.fixture
def server() -> Iterator[ImapServer]:
    opened = ImapServer(Box())
    yield opened
    opened.stop()


def mailbox(server: ImapServer, password: str = "secret") -> ImapMailbox:
    return ImapMailbox(ImapSettings("127.0.0.1", server.port, "b", password, security="none"))


def test_a_folder_is_read_by_name_and_emptied_into_two_others(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    for name in ("2.b", "1.a"):
        (tmp_path / "new" / name).write_bytes(name.encode())
    box = Maildir(tmp_path)
    mails = list(box.waiting(10))
    assert [mail.raw for mail in mails] == [b"1.a", b"2.b"]
    box.settle(mails[0], known=True)
    box.settle(mails[1], known=False)
    assert list(box.waiting(10)) == []
    assert (tmp_path / ".Done/cur/1.a:2,S").read_bytes() == b"1.a"
    assert (tmp_path / ".Unknown/cur/2.b:2,S").read_bytes() == b"2.b"


def test_of_a_huge_mail_only_the_beginning_is_read(tmp_path: Path, server: ImapServer) -> None:
    huge = b"x" * (LONGEST + 5)
    (tmp_path / "cur").mkdir()
    (tmp_path / "cur" / "1").write_bytes(huge)
    server.box.folders["INBOX"][3] = huge
    for box in (Maildir(tmp_path), mailbox(server)):
        (mail,) = list(box.waiting(10))
        assert len(mail.raw) == LONGEST
        box.settle(mail, known=True)
        box.close()
    assert (tmp_path / ".Done/cur/1:2,S").stat().st_size == len(huge)
    assert server.box.folders["Done"][3] == huge


@pytest.mark.parametrize("can_move", [True, False])
def test_imap_mails_are_taken_by_uid_and_moved(server: ImapServer, can_move: bool) -> None:
    server.box.can_move = can_move
    server.box.folders["INBOX"] = {7: b"seven", 9: b"nine"}
    box = mailbox(server)
    for mail in list(box.waiting(10)):
        box.settle(mail, known=mail.raw == b"seven")
    box.close()
    assert server.box.folders == {"INBOX": {}, "Done": {7: b"seven"}, "Unknown": {9: b"nine"}}
    assert not any("\\Seen" in each for each in server.box.commands)


def test_an_unreachable_mailbox_says_so_without_the_servers_words(server: ImapServer) -> None:
    with pytest.raises(MailboxUnreachable) as wrong:
        list(mailbox(server, "guess").waiting(1))
    assert str(wrong.value) == "127.0.0.1 cannot be read: error"
    server.stop()
    with pytest.raises(MailboxUnreachable, match="ConnectionRefusedError"):
        list(mailbox(server).waiting(1))
    assert "secret" not in repr(ImapSettings("h", 1, "u", "secret"))
