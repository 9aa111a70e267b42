"""okaeri mail take: one mail from a pipe, or all that lie in the folder."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from tests.cli.commands import Cli
from tests.mail.coming_back.corpus import TO, sample
from worker.cli import app


def piped(cli: Cli, raw: bytes, expect: int = 0) -> str:
    arguments = ["mail", "take", "--stdin", "--data", str(cli.data)]
    result = CliRunner().invoke(app, arguments, input=raw)
    assert result.exit_code == expect, result.stderr
    return result.stdout + result.stderr


def test_a_piped_mail_is_taken_in_once(cli: Cli) -> None:
    raw = sample("qmail")
    assert "unmatched: 1" in piped(cli, raw)
    again = piped(cli, raw)
    assert "again: 1" in again
    assert TO not in again


def test_an_empty_pipe_and_a_missing_setting_say_what_to_do(cli: Cli) -> None:
    assert "standard input is empty" in piped(cli, b"", expect=2)
    assert "OKAERI_RETURNS_FOLDER" in cli("mail", "take", expect=2).err


def test_a_folder_is_taken_in(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = cli.data / "returns"
    (folder / "new").mkdir(parents=True)
    (folder / "new" / "1").write_bytes(sample("machine-unreadable"))
    monkeypatch.setenv("OKAERI_RETURNS_FOLDER", str(folder))
    told = cli("mail", "take", "--json").json
    assert told == {"taken": {"unreadable": 1}, "problems": []}
    assert len(list((folder / ".Unknown" / "cur").iterdir())) == 1


def test_a_mailbox_that_cannot_be_reached_is_a_finding(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("HOST", "127.0.0.1"), ("PORT", "9"), ("USER", "b"), ("TLS", "none")):
        monkeypatch.setenv(f"OKAERI_IMAP_{name}", value)
    told = cli("mail", "take", "--json", expect=1).json
    assert told["problems"] == ["127.0.0.1 cannot be read: ConnectionRefusedError"]
