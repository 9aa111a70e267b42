"""The commands `okaeri users …` and `okaeri tokens …`: who may enter the desk, and programs."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from worker.cli.opening import (
    AsJson,
    By,
    Config,
    Data,
    default_by,
    now,
    open_runtime,
    tell,
    tell_rows,
)
from worker.pipeline import users, users_logins, users_tokens, users_totp
from worker.rules.states import Role
from worker.store.access import ApiToken
from worker.store.running import User

users_app = typer.Typer(
    help="利用者 / Users: list, add, link, role, off, on, logout, totp-off.", no_args_is_help=True
)
tokens_app = typer.Typer(
    help="APIトークン / Tokens of programs: list, make, revoke.", no_args_is_help=True
)
Name = Annotated[str, typer.Argument(help="User name.")]


@users_app.command("list")
def users_list(data: Data = None, config: Config = None, as_json: AsJson = False) -> None:
    """List everybody who may enter, and who may no more."""
    runtime = open_runtime(data, config)
    with runtime.look() as session:
        rows = [_user(row) for row in users.all_users(session)]
    columns = ["name", "role", "disabled", "has_password", "second_step"]
    tell_rows(rows, columns, as_json=as_json, empty="利用者はいません / nobody yet: `okaeri login`")


def _user(row: User) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "role": row.role.value,
        "disabled": row.disabled,
        "has_password": bool(row.password_hash),
        "second_step": row.totp_since is not None,
    }


@users_app.command("add")
def users_add(
    name: Name,
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.EDITOR,
    by: By = "",
    data: Data = None,
    config: Config = None,
) -> None:
    """Add a user and print the link by which they come in, once."""
    runtime = open_runtime(data, config)
    who = by or default_by()
    with runtime.transaction() as session:
        user = users.add_user(session, name, role, by=who, now=now())
        token = users.make_link(session, user.id, by=who, now=now())
    typer.echo(_link(runtime.settings, token))


def _link(settings: Any, token: str) -> str:
    base = f"http://{settings.host}:{settings.port}"
    return f"{base}/login/once/{token}?next=%2Fme%3Fwelcome%3D1"


@users_app.command("link")
def users_link(name: Name, by: By = "", data: Data = None, config: Config = None) -> None:
    """Print a one-time link for a user; earlier links no longer work."""
    runtime = open_runtime(data, config)
    with runtime.transaction() as session:
        user = users.named_user(session, name)
        token = users.make_link(session, user.id, by=by or default_by(), now=now())
    typer.echo(_link(runtime.settings, token))


@users_app.command("role")
def users_role(
    name: Name,
    role: Annotated[Role, typer.Argument(help="The role from now on.")],
    by: By = "",
    data: Data = None,
    config: Config = None,
) -> None:
    """Give a user another role; the last admin keeps theirs."""
    _change(data, config, name, by, users.change_role, f"{name}: {role}", role)


@users_app.command("off")
def users_off(name: Name, by: By = "", data: Data = None, config: Config = None) -> None:
    """Shut a user out at once; the last admin stays."""
    _change(data, config, name, by, users.deactivate, f"{name}: 停止しました / switched off")


@users_app.command("on")
def users_on(name: Name, by: By = "", data: Data = None, config: Config = None) -> None:
    """Let a user in again."""
    _change(data, config, name, by, users.reactivate, f"{name}: 再開しました / switched on")


@users_app.command("logout")
def users_logout(name: Name, by: By = "", data: Data = None, config: Config = None) -> None:
    """End every login of a user."""
    told = f"{name}: ログインを終わらせました / logged out"
    _change(data, config, name, by, users_logins.end_all_logins, told)


@users_app.command("totp-off")
def users_totp_off(name: Name, by: By = "", data: Data = None, config: Config = None) -> None:
    """Take the second step off, for somebody who lost the telephone."""
    told = f"{name}: 2段階の確認を外しました / the second step is off"
    _change(data, config, name, by, users_totp.drop_totp, told)


def _change(data: Any, config: Any, name: str, by: str, act: Any, told: str, *more: Any) -> None:
    runtime = open_runtime(data, config)
    with runtime.transaction() as session:
        user = users.named_user(session, name)
        act(session, user.id, *more, by=by or default_by(), now=now())
    tell(None, as_json=False, text=told)


@tokens_app.command("list")
def tokens_list(data: Data = None, config: Config = None, as_json: AsJson = False) -> None:
    """List the tokens of programs."""
    runtime = open_runtime(data, config)
    with runtime.look() as session:
        rows = [_token(row) for row in users_tokens.all_tokens(session)]
    columns = ["id", "name", "role", "expires_at", "last_used_at", "revoked_at"]
    tell_rows(rows, columns, as_json=as_json, empty="トークンはありません / no tokens")


def _token(row: ApiToken) -> dict[str, Any]:
    names = ("id", "name", "role", "created_by", "created_at", "expires_at", "last_used_at",
             "revoked_at")  # fmt: skip
    return {name: getattr(row, name) for name in names}


@tokens_app.command("make")
def tokens_make(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    role: Annotated[Role, typer.Option(help="What it may do.")] = Role.VIEWER,
    days: Annotated[int, typer.Option(help="How long it works.")] = 90,
    by: By = "",
    data: Data = None,
    config: Config = None,
) -> None:
    """Make a token and print it, this once."""
    runtime = open_runtime(data, config)
    with runtime.transaction() as session:
        _row, secret = users_tokens.make_token(
            session, name, role, days, by=by or default_by(), now=now()
        )
    typer.echo(secret)


@tokens_app.command("revoke")
def tokens_revoke(
    token: Annotated[int, typer.Argument(help="Its number in the list.")],
    by: By = "",
    data: Data = None,
    config: Config = None,
) -> None:
    """Make a token worthless at once."""
    runtime = open_runtime(data, config)
    with runtime.transaction() as session:
        users_tokens.revoke_token(session, token, by=by or default_by(), now=now())
    tell(None, as_json=False, text=f"{token}: 止めました / revoked")
