"""users, tokens, export: who may enter, without a browser; and what leaves is told."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from tests.cli.commands import Cli
from worker.runtime import Runtime
from worker.settings import Settings
from worker.store.running import Audit


def audit(cli: Cli) -> list[tuple[str, str, Any]]:
    runtime = Runtime(Settings(data=cli.data))
    with runtime.look() as session:
        rows = session.execute(sa.select(Audit.by, Audit.action, Audit.detail).order_by(Audit.id))
        found = [(row[0], row[1], row[2]) for row in rows]
    runtime.dispose()
    return found


def test_a_user_is_added_by_a_link_and_switched_off_and_on(cli: Cli) -> None:
    link = cli("login", "管").out.strip()
    assert "/login/once/" in link
    invited = cli("users", "add", "中村", "--role", "approver", "--by", "管").out
    assert invited.strip().endswith("?next=%2Fme%3Fwelcome%3D1")
    cli("users", "off", "中村", "--by", "管")
    rows = {row["name"]: row for row in cli("users", "list", "--json").json}
    assert (rows["中村"]["role"], rows["中村"]["disabled"]) == ("approver", True)
    cli("users", "on", "中村")
    cli("users", "role", "中村", "editor")
    cli("users", "logout", "中村")
    cli("users", "totp-off", "中村")
    actions = [action for _by, action, _detail in audit(cli)]
    assert actions == [
        *("add_user", "make_link", "add_user", "make_link", "deactivate_user"),
        *("reactivate_user", "change_role", "end_logins"),
    ]


def test_the_last_admin_stays(cli: Cli) -> None:
    cli("login", "管")
    refused = cli("users", "off", "管", expect=2)
    assert "Make somebody else an admin first" in refused.err
    assert cli("users", "role", "管", "viewer", expect=2).err
    assert "There is no such user" in cli("users", "off", "誰か", expect=2).err


def test_a_token_is_printed_once_and_revoked(cli: Cli) -> None:
    secret = cli("tokens", "make", "hub", "--role", "editor", "--days", "30").out.strip()
    assert secret.startswith("okaeri_")
    listed = cli("tokens", "list", "--json")
    assert secret not in listed.out
    (row,) = listed.json
    assert (row["name"], row["role"], row["revoked_at"]) == ("hub", "editor", None)
    cli("tokens", "revoke", str(row["id"]))
    assert cli("tokens", "list", "--json").json[0]["revoked_at"]
    assert "no such token" in cli("tokens", "revoke", "99", expect=2).err


def test_every_export_of_the_ledger_is_told(cli: Cli) -> None:
    cli.history()
    for what in ("orders", "customers", "grants", "messages", "occasions"):
        cli("export", what, "--format", "csv", "--by", "会計")
    cli("packing", "csv", "--by", "梱包")
    cli("customers", "list")
    cli("customers", "list", "--json", "--by", "会計")
    told = [(by, action, detail["form"]) for by, action, detail in audit(cli)]
    assert told == [
        *(
            ("会計", f"export_{what}", "csv")
            for what in ("orders", "customers", "grants", "messages", "occasions")
        ),
        ("梱包", "export_packing", "csv"),
        ("会計", "export_customers", "json"),
    ]
    assert audit(cli)[0][2]["count"] == 6
