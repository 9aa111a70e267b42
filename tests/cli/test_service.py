"""init, run, backup, rearm, login, and the settings that all commands share."""

from __future__ import annotations

import socket
import sqlite3
from pathlib import Path

import pytest

from tests.cli.commands import Cli


def test_init_writes_documents_that_can_be_used(cli: Cli) -> None:
    ran = cli("init", "--defaults", "--name", "みどり茶舗", "--thanks", "rakuten=okaeri")

    assert ran.out == ""
    assert "みどり茶舗" in (cli.data / "config" / "shop.toml").read_text("utf-8")
    cli("documents", "check")
    assert "exists already" in cli("init", "--defaults", expect=2).err
    cli("init", "--defaults", "--force")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--thanks", "own"), "own=okaeri"),
        (("--thanks", "mars=okaeri"), "mars"),
        (("--thanks", "own=nobody-knows"), "nobody-knows"),
        (("--zone", "Mars/Base"), "Mars/Base"),
    ],
)
def test_init_refuses_what_it_cannot_use(cli: Cli, arguments: tuple[str, ...], said: str) -> None:
    assert said in cli("init", "--defaults", *arguments, expect=2).err
    assert not (cli.data / "config" / "shop.toml").exists()


def test_init_asks_what_only_the_shop_can_know(cli: Cli) -> None:
    answers = (
        "みどり茶舗\n\n株式会社みどり\n東京都\nask@m.example\n03\nshop@m.example\n森\n\n\n\n\n"
    )

    ran = cli("init", given=answers)

    shop = (cli.data / "config" / "shop.toml").read_text("utf-8")
    assert 'legal_name = "株式会社みどり"' in shop
    assert 'staff_name = "森"' in shop
    assert "Mails stay on hold until shop.toml has, under [contact]: url" in ran.err


def test_run_wants_documents_of_the_shop(cli: Cli) -> None:
    ran = cli("run", expect=2)

    assert "shop.toml: missing. Run `okaeri init`" in ran.err


def test_run_wants_a_mail_server_before_it_mails(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli("init", "--defaults", "--name", "店")
    monkeypatch.setenv("OKAERI_TRANSPORT", "smtp")

    assert "OKAERI_SMTP_HOST" in cli("run", expect=2).err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRANSPORT", "pigeon"),
        ("PORT", "many"),
        ("KEY", "not base64!"),
        ("SMTP_PASSWORD_FILE", "/absent/file"),
    ],
)
def test_a_wrong_setting_is_named(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"OKAERI_{name}", value)

    ran = cli("export", "orders", expect=2)

    assert f"OKAERI_{name}" in ran.err
    assert "Traceback" not in ran.err


def test_an_unreachable_store_is_told_without_a_traceback(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OKAERI_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:9/okaeri")

    ran = cli("export", "orders", expect=2)

    assert "the store cannot be used" in ran.err


def test_a_backup_is_a_whole_database(cli: Cli) -> None:
    cli.history()

    path = cli("backup").out.strip()

    with sqlite3.connect(path) as copy:
        assert copy.execute("select count(*) from orders").fetchone() == (6,)
    copy.close()


def test_rearm_and_login(cli: Cli) -> None:
    cli.history()
    cli("dispatch")

    assert cli("rearm", "--yes", "--json").json["sent"] == []
    assert "/login/once/" in cli("login", "hanako").out
    cli("login", "hanako", "--role", "emperor", expect=2)


def test_unknown_commands_and_options_end_with_two(cli: Cli) -> None:
    cli.raw("fly", expect=2)
    cli("export", "everything", expect=2)
    cli("export", "orders", "--format", "pdf", expect=2)


@pytest.mark.parametrize("command", ["demo", "console"])
def test_a_port_in_use_is_told_before_anything_starts(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        monkeypatch.setenv("OKAERI_PORT", port)

        ran = cli.raw(command, "--port", port, "--data", str(tmp_path / command), expect=2)

    assert f"127.0.0.1:{port}" in ran.err
    assert "OKAERI_PORT" in ran.err
