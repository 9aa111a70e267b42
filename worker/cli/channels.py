"""Commands about channels: add, list, check, set, pause, resume, pull, rotate."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from worker.cli import channel_files
from worker.cli.backfilling import backfill_command
from worker.cli.checking import tell_checks
from worker.cli.credentials import (
    ask_credentials,
    ask_settings,
    ends_of,
    settings_of,
    tell_login,
    tell_warnings,
)
from worker.cli.imports import settle
from worker.cli.logging_in import log_in, login_command
from worker.cli.opening import (
    AsJson,
    By,
    Config,
    Data,
    Findings,
    Wrong,
    day,
    default_by,
    instant,
    now,
    open_runtime,
    tell,
    tell_rows,
    words,
)
from worker.live import keyring
from worker.pipeline.channel_admin import (
    Setup,
    awaiting_login,
    family_for,
    pause,
    resume,
    set_up,
)
from worker.pipeline.channel_health import channel_health, plain
from worker.pipeline.channel_names import find_channel
from worker.pipeline.channel_vault import rotate
from worker.polling import Polled, mark_customers_due, poll_channel_once
from worker.rules.states import MailKind
from worker.runtime import Runtime
from worker.store.channels import Channel, ChannelKind
from worker.store.orders import OrderRow

channels_app = typer.Typer(
    help="モール・カート / Channels: add, list, check, login, set, pull, backfill, pause, resume, "
    "export, apply, rotate.",
    no_args_is_help=True,
)
channels_app.command("backfill")(backfill_command)
channels_app.command("export")(channel_files.export_command)
channels_app.command("apply")(channel_files.apply_command)
channels_app.command("login")(login_command)


@channels_app.command("add")
def channels_add(
    channel: Annotated[str, typer.Argument(help="e.g. rakuten:main or own:shop.")],
    kind: Annotated[str, typer.Option(help="Connector, e.g. rakuten, shopify, woocommerce.")],
    title: Annotated[str, typer.Option(help="The shop's name as its buyers know it.")] = "",
    locale: Annotated[str, typer.Option(help="ja or en.")] = "",
    setting: Annotated[list[str] | None, typer.Option("--set", help="name=value.")] = None,
    secret: Annotated[
        list[str] | None,
        typer.Option(help="name=env:VARIABLE or name=file:PATH; the rest is asked for."),
    ] = None,
    expires: Annotated[list[str] | None, typer.Option(help="name=date a key ends.")] = None,
    since: Annotated[str, typer.Option(help="Begin the first read at this date.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="The warnings are known.")] = False,
    by: By = "",
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Set a channel up, or enter its credentials anew; then try them with a harmless call."""
    runtime = open_runtime(data, config)
    family_for(channel, kind)
    by = by or default_by()
    tell_warnings(channel, kind, confirm=not yes)
    settings = settings_of(setting or [])
    if since:
        settings["since"] = instant(since, runtime).isoformat()
    with runtime.look() as session:
        found = find_channel(session, channel)
        known = set(found.secrets) if found else set()
        told = set(found.settings) if found else set()
    if not secret:  # a script is not stopped: the check tells what is missing
        settings = ask_settings(kind, settings, known=told)
    setup = Setup(
        channel, kind, title, locale, settings,
        ask_credentials(kind, secret or [], keep=known),
        ends_of(expires or [], kind, runtime),
    )  # fmt: skip
    with runtime.transaction() as session:
        made = set_up(session, runtime.context(), keyring(runtime), setup, by, now())
        missing = awaiting_login(made)
    if missing and not secret:
        log_in(runtime, channel, by)
    elif missing:
        tell_login(channel)
    tell_checks(runtime, [channel], as_json=as_json)


@channels_app.command("list")
def channels_list(data: Data = None, config: Config = None, as_json: AsJson = False) -> None:
    """List channels with their health and the next end of a credential."""
    runtime = open_runtime(data, config)
    with runtime.look() as session:
        rows = [plain(health) for health in channel_health(session, now(), count=True)]
    columns = ["channel", "kind", "orders", "last_success_at", "next_poll_at", "expires", "problem"]
    tell_rows(rows, columns, as_json=as_json, empty="まだありません / none yet")


@channels_app.command("check")
def channels_check(
    channel: Annotated[str, typer.Argument(help="Channel; none: every one.")] = "",
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Make a harmless call and say in plain words whether it works, or what is wrong."""
    runtime = open_runtime(data, config)
    tell_checks(runtime, _names(runtime, channel), as_json=as_json)


@channels_app.command("set")
def channels_set(
    channel: str,
    history_complete_since: Annotated[str, typer.Option(help="Date, or 'orders'.")] = "",
    active_from: Annotated[str, typer.Option(help="Date from which mails are planned.")] = "",
    kind: Annotated[list[MailKind] | None, typer.Option(help="Only these kinds.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Poll again.")] = False,
    profile: Annotated[str, typer.Option(help="Profile of its drop folder.")] = "",
    by: By = "",
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Declare how far a channel's history reaches, from when it mails, or resume it."""
    runtime = open_runtime(data, config)
    moment = instant(active_from, runtime) if active_from else None
    with runtime.transaction() as session:
        row = _row(session, channel)
        if history_complete_since:
            row.history_complete_since = (
                None if history_complete_since == "orders" else day(history_complete_since)
            )
        if resume:
            row.paused, row.pause_reason, row.next_poll_at = False, "", None
        if profile:
            row.settings = {**row.settings, "profile": profile}
        if moment is not None:
            for each in kind or list(MailKind):
                session.merge(
                    ChannelKind(
                        channel_id=row.id, kind=each, active_from=moment, by=by or default_by()
                    )
                )
        session.execute(update(OrderRow).values(plan_due=True))
    # A changed reach or start changes numbers and plans of everybody.
    mark_customers_due(runtime)
    settle(runtime)
    tell({"channel": channel}, as_json=as_json, text=f"{channel}: 保存しました / saved")


@channels_app.command("pause")
def channels_pause(
    channel: str,
    reason: Annotated[str, typer.Option(help="Shown in the desk.")] = "",
    by: By = "",
    data: Data = None,
    config: Config = None,
) -> None:
    """Poll a channel no more until it is resumed; its mails go on."""
    runtime = open_runtime(data, config)
    with runtime.transaction() as session:
        _row(session, channel)
        pause(session, channel, reason, by or default_by(), now())
    words.print(f"{channel}: 取込を止めました / paused", markup=False)


@channels_app.command("resume")
def channels_resume(channel: str, by: By = "", data: Data = None, config: Config = None) -> None:
    """Poll a channel again, at once."""
    runtime = open_runtime(data, config)
    with runtime.transaction() as session:
        _row(session, channel)
        resume(session, channel, by or default_by(), now())
    words.print(f"{channel}: 取込を再開します / resumed", markup=False)


@channels_app.command("rotate")
def channels_rotate(data: Data = None, config: Config = None, as_json: AsJson = False) -> None:
    """Seal all credentials with the present key; the one before stands in OKAERI_FORMER_KEY."""
    runtime = open_runtime(data, config)
    with runtime.transaction() as session:
        count = rotate(session, keyring(runtime))
    tell({"credentials": count}, as_json=as_json, text=f"{count} 件を封じ直しました / sealed anew")


@channels_app.command("pull")
def pull_command(
    channel: Annotated[str, typer.Argument(help="Channel; none: every one.")] = "",
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Poll channels now: drop folders and marketplaces."""
    runtime = open_runtime(data, config)
    results = {
        name: poll_channel_once(runtime, name, now(), every_stream=True)
        for name in _names(runtime, channel)
    }
    settle(runtime)
    lines = [f"{name}: {_brought(result)}" for name, result in results.items()]
    tell(results, as_json=as_json, text="\n".join(lines))
    if any(result.problem for result in results.values()):
        raise Findings


def _brought(polled: Polled) -> str:
    if polled.busy:
        return "ほかの処理が読んでいます / being read by another process"
    counts = (
        f"新規 {polled.new} 件、変更 {polled.changed} 件、取込できず {polled.quarantined} 件"
        f" / {polled.new} new, {polled.changed} changed, {polled.quarantined} not imported"
    )
    return f"{counts}\n  {polled.problem}" if polled.problem else counts


def _names(runtime: Runtime, channel: str) -> list[str]:
    with runtime.look() as session:
        names = list(session.scalars(select(Channel.name).order_by(Channel.name)))
    if channel and channel not in names:
        raise Wrong(
            f"店舗 {channel!r} はありません / no channel named {channel!r}: `okaeri channels list`"
        )
    return [channel] if channel else names


def _row(session: Session, name: str) -> Channel:
    found = find_channel(session, name)
    if found is None:
        raise Wrong(
            f"店舗 {name!r} はありません / no channel named {name!r}: `okaeri channels list`"
        )
    return found
