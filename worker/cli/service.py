"""Commands that set the service up and run it, stop mails, back up and arm again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import select
from sqlalchemy.orm import Session

from worker.cli.opening import (
    AsJson,
    By,
    Config,
    Data,
    Findings,
    Wrong,
    default_by,
    now,
    open_runtime,
    remember,
    tell,
    words,
)
from worker.documents import DocumentsWrong, is_sample, missing_shop
from worker.pipeline import users
from worker.pipeline.dispatch import rearm
from worker.pipeline.instance import LOCKS, open_installation
from worker.pipeline.review import active_stops, lift, stop
from worker.releases import open_context
from worker.rules.states import MailKind, Role
from worker.runtime import Runtime
from worker.sending import Round, dispatch_round, open_journal, open_transports, standing
from worker.settings import load_settings
from worker.setup import Answers, write_documents
from worker.store.channels import Channel
from worker.store.message_queries import leased_count
from worker.store.migrate import back_up
from worker.store.running import Stop, User
from worker.supervisor import Supervisor, plan_children, require_port, stop_on_signals


def init(
    data: Data = None,
    config: Config = None,
    name: Annotated[str, typer.Option(help="Shop name.")] = "",
    zone: Annotated[str, typer.Option(help="Time zone.")] = "Asia/Tokyo",
    legal_name: Annotated[str, typer.Option(help="Legal name for the footer.")] = "",
    address: Annotated[str, typer.Option(help="Postal address for the footer.")] = "",
    mail: Annotated[str, typer.Option(help="Contact mail address.")] = "",
    phone: Annotated[str, typer.Option(help="Contact phone.")] = "",
    url: Annotated[str, typer.Option(help="Address of your shop's site.")] = "",
    staff: Annotated[str, typer.Option(help="Name of who signs the mails.")] = "",
    sender: Annotated[str, typer.Option(help="From address of your mails.")] = "",
    thanks: Annotated[
        list[str] | None,
        typer.Option(help="Who sends your thank-you today, e.g. own=okaeri, rakuten=hub."),
    ] = None,
    defaults: Annotated[bool, typer.Option("--defaults", help="Ask nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite documents.")] = False,
) -> None:
    """Write a first configuration, asking what only you can know."""
    remember(data, config)
    settings = load_settings()
    answers = Answers(
        name=name, zone=zone, legal_name=legal_name, postal_address=address, mail=mail,
        phone=phone, url=url, staff_name=staff, sender=sender, thanks=_pairs(thanks or []),
    )  # fmt: skip
    if not defaults:
        answers = answers.ask(typer.prompt)
    try:
        written = write_documents(settings.config_dir, answers, force=force)
    except ValueError as error:
        raise Wrong(str(error)) from error
    settings.data.mkdir(parents=True, exist_ok=True)
    settings.secret_key()
    runtime = open_runtime(data, config)
    runtime.context()
    for path in written:
        words.print(f"  {path}", markup=False)
    words.print(
        "設定を書きました。次は `okaeri import 受注ファイル --channel own:main`、"
        "それから `okaeri run`。\n"
        "Configuration written. Next: `okaeri import FILE --channel own:main`, then `okaeri run`.",
        markup=False,
    )
    if answers.missing:
        keys = ", ".join(answers.missing)
        words.print(
            f"メールは、shop.toml の [contact] に次の項目が入るまで保留になります: {keys}\n"
            f"Mails stay on hold until shop.toml has, under [contact]: {keys}",
            markup=False,
        )


def _pairs(items: list[str]) -> dict[str, str]:
    pairs = {}
    for item in items:
        family, separator, who = item.partition("=")
        if not separator:
            raise Wrong(f"--thanks {item!r}: write it as own=okaeri.")
        pairs[family] = who
    return pairs


def run(data: Data = None, config: Config = None) -> None:
    """Run the service: broker, worker, beat and console. Ctrl-C stops everything."""
    runtime = open_runtime(data, config)
    if is_sample(runtime.context().documents):
        raise DocumentsWrong([missing_shop(runtime.settings.config_dir)])
    open_transports(runtime.settings).close()
    _warn_if_locked(runtime)
    require_port(runtime.settings.host, runtime.settings.port)
    children, _ = plan_children(runtime.settings)
    runtime.dispose()
    supervisor = Supervisor(children)
    stop_on_signals(supervisor)
    settings = runtime.settings
    words.print(
        f"Okaeri: http://{settings.host}:{settings.port}/  "
        f"(データ {settings.data.absolute()}、送信 {settings.transport})\n"
        "ログイン / log in: `okaeri login NAME`。Ctrl-C で終了 / Ctrl-C stops everything",
        markup=False,
    )
    supervisor.run()


def _warn_if_locked(runtime: Runtime) -> None:
    locked = standing(runtime, now())
    if locked.lock:
        japanese, english = LOCKS[locked.lock]
        words.print(
            f"試運転(送信しません): {japanese}\n{english}\n"
            "Capture only. When you are sure that this is the one database: `okaeri rearm`.",
            markup=False,
        )


def console(
    data: Data = None,
    config: Config = None,
    host: Annotated[str, typer.Option()] = "127.0.0.1",
    port: Annotated[int, typer.Option()] = 8787,
) -> None:
    """Serve the review desk alone."""
    # Here and not at the top: the web framework takes longer to load than most commands run.
    import uvicorn

    from console.app import create_app

    runtime = open_runtime(data, config, migrate=False)
    require_port(host, port)
    desk = create_app(
        runtime.engine,
        lambda session: open_context(runtime.settings, session),
        data_dir=runtime.settings.data.absolute(),
        runtime=runtime,
    )
    uvicorn.run(desk, host=host, port=port, log_config=None, access_log=False)


def login(
    user: Annotated[str, typer.Argument(help="User name.")],
    data: Data = None,
    config: Config = None,
    role: Annotated[Role, typer.Option(help="Role when the user is new.")] = Role.ADMIN,
) -> None:
    """Print a one-time login link; makes the user when there is none of that name."""
    runtime = open_runtime(data, config)
    typer.echo(login_link(runtime, user, role))


def login_link(runtime: Runtime, name: str, role: Role) -> str:
    """A link that opens the desk once, without a password."""
    by = default_by()
    with runtime.transaction() as session:
        user = session.scalar(select(User).where(User.name == name))
        if user is None:
            user = users.add_user(session, name, role, by=by, now=now())
        token = users.make_link(session, user.id, by=by, now=now())
    return f"http://{runtime.settings.host}:{runtime.settings.port}/login/once/{token}"


def dispatch(data: Data = None, config: Config = None, as_json: AsJson = False) -> None:
    """Send what is approved and due, now, and look after what died on the way."""
    runtime = open_runtime(data, config)
    result = dispatch_round(runtime, now())
    with runtime.look() as session:
        taken = leased_count(session)
    tell(result, as_json=as_json, text="\n".join(_round_words(result, taken)))


def _round_words(result: Round, taken: int) -> Iterator[str]:
    """What was sent, and for each that was not the reason."""
    yield f"送信 {result.sent}通 / sent {result.sent}"
    if result.lock:
        ja, en = LOCKS[result.lock]
        yield f"外へは送りません / nothing leaves: {ja} {en} → okaeri rearm"
    yield from result.problems
    if taken:
        yield (
            f"{taken}通は別の送信処理が受け持っています。それが終わらなければ、しばらくして自動で戻ります"
            f" / {taken} are in the hands of another dispatch; if that died, they come back by"
            " themselves"
        )


def stop_command(
    channel: Annotated[str, typer.Option(help="Only this channel.")] = "",
    kind: Annotated[MailKind | None, typer.Option(help="Only this kind.")] = None,
    reason: Annotated[str, typer.Option(help="Why, for the records.")] = "",
    lift_it: Annotated[bool, typer.Option("--lift", help="Let mails go again.")] = False,
    by: By = "",
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Press the kill switch (shop, channel or kind), or lift it."""
    runtime = open_runtime(data, config)
    context = runtime.context()
    moved: list[str] = []
    with runtime.transaction() as session:
        channel_id = _channel_id(session, channel) if channel else None
        if lift_it:
            for each in _pressed(session, channel_id, kind):
                done = lift(session, context, each.id, by=by or default_by(), now=now())
                moved += done.message_ids
        else:
            done = stop(
                session, context, channel_id=channel_id, kind=kind, reason=reason,
                by=by or default_by(), now=now(),
            )  # fmt: skip
            moved += done.message_ids
    said = (
        f"送信を再開しました。{len(moved)}通が確認待ちに戻りました"
        f" / mails may go again, {len(moved)} are back in review"
        if lift_it
        else f"送信を止めました。承認済みの{len(moved)}通を保留にしました"
        f" / stopped, {len(moved)} approved mails are on hold"
    )
    tell({"messages": moved}, as_json=as_json, text=said)


def _pressed(session: Session, channel_id: int | None, kind: MailKind | None) -> list[Stop]:
    found = [
        each
        for each in active_stops(session)
        if each.channel_id == channel_id and each.kind == kind
    ]
    if not found:
        raise Wrong("no such switch is pressed / その送信停止は押されていません。")
    return found


def _channel_id(session: Session, name: str) -> int:
    found = session.scalar(select(Channel.id).where(Channel.name == name))
    if found is None:
        raise Wrong(
            f"店舗 {name!r} はありません / no channel named {name!r}: `okaeri channels list`"
        )
    return int(found)


def backup(
    data: Data = None,
    config: Config = None,
    to: Annotated[Path | None, typer.Option("--to", help="Folder of the backup.")] = None,
) -> None:
    """Back the store up; prints where."""
    runtime = open_runtime(data, config, migrate=False)
    folder = to or runtime.settings.data.absolute() / "backups"
    typer.echo(str(back_up(runtime.settings.store_url, folder)))


def rearm_command(
    data: Data = None,
    config: Config = None,
    by: By = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let this database mail again after a restore or a copy, once the journal is reconciled."""
    runtime = open_runtime(data, config)
    if not yes:
        typer.confirm(
            "この保存先だけが動いていることを確かめましたか / Is this the only installation "
            "that uses this shop's data?",
            abort=True,
            err=True,
        )
    standing(runtime, now())  # a database that never sent anything is registered first
    with runtime.transaction() as session:
        result = rearm(
            session, runtime.context(), open_installation(runtime.settings.data.absolute()),
            open_journal(runtime.settings), by=by or default_by(), now=now(),
        )  # fmt: skip
    lists = ("sent", "unconfirmed", "unknown", "again")
    found = {name: getattr(result, name) for name in lists}
    tell(found, as_json=as_json, text="送信できる状態に戻しました / armed again")
    if any(found.values()):
        raise Findings
