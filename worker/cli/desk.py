"""Commands for the review desk without a browser: review, users, documents."""

from __future__ import annotations

import difflib
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

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
    tell,
    tell_rows,
    text_of,
    words,
)
from worker.pipeline import review
from worker.pipeline.render import recheck
from worker.releases import differences, pull, push
from worker.rules.staff_words import FLAGS
from worker.rules.states import MailKind, MessageState
from worker.runtime import Runtime

review_app = typer.Typer(
    help="確認待ち / Review: list, show, approve, hold, send back …", no_args_is_help=True
)
documents_app = typer.Typer(
    help="ショップの文書 / Documents: check, diff, pull, push.", no_args_is_help=True
)
Version = Annotated[
    int | None, typer.Option("--version", help="Refuse when it changed since this version.")
]


@review_app.command("list")
def review_list(
    kind: Annotated[str, typer.Option()] = "",
    rank: Annotated[str, typer.Option()] = "",
    channel: Annotated[str, typer.Option()] = "",
    state: Annotated[MessageState | None, typer.Option()] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """List what waits: expiring first, then flagged, then first-timers before regulars."""
    runtime = open_runtime(data, config)
    filters = _filters(runtime, kind, rank, channel)
    if state is not None:
        filters = replace(filters, states=frozenset({state}))
    with runtime.look() as session:
        rows = review.queue(session, filters, now=now(), limit=limit)
        held = review.state_counts(session).get(MessageState.ON_HOLD, 0)
    columns = ["id", "state", "kind", "customer_name", "rank", "visit_number", "channel",
               "flags", "expires_at"]  # fmt: skip
    plain = [
        {column: getattr(row, column) for column in columns}
        | {"flags": [flag["flag"] for flag in row.flags], "version": row.version}
        for row in rows
    ]
    tell_rows(plain, columns, as_json=as_json, empty="確認待ちはありません / nothing to review")
    if held and state is None:
        words.print(
            f"保留 {held}通 / {held} on hold: `okaeri review list --state on_hold`", markup=False
        )


@review_app.command("show")
def review_show(
    message: str, data: Data = None, config: Config = None, as_json: AsJson = False
) -> None:
    """Show a mail as the customer will see it, with its flags and reasons."""
    runtime = open_runtime(data, config)
    with runtime.look() as session:
        found = review.detail(session, runtime.context(), message, now=now())
        shown = _shown(found)
    flags = "\n".join(f"  ! {_flag_words(flag)}" for flag in shown["flags"])
    text = f"{shown['subject']}\n{shown['recipient']}\n{flags}\n\n{shown['text']}"
    tell(shown, as_json=as_json, text=text)


def _flag_words(flag: str) -> str:
    ja, en = FLAGS[flag]
    return f"{ja} / {en}"


def _filters(runtime: Runtime, kind: str, rank: str, channel: str) -> review.QueueFilter:
    if kind and kind not in list(MailKind):
        raise Wrong(f"unknown kind {kind!r}. Kinds: {', '.join(MailKind)}.")
    groups = review.rank_groups(runtime.context())
    return review.QueueFilter(
        kinds=frozenset({MailKind(kind)}) if kind else frozenset(),
        ranks=frozenset({rank}) if rank else frozenset(),
        channels=frozenset({channel}) if channel else frozenset(),
        vip_ranks=groups["vip_ranks"],
        first_ranks=groups["first_ranks"],
    )


def _shown(found: review.MessageDetail) -> dict[str, Any]:
    message, body = found.message, found.body
    return {
        "message": message.id,
        "state": message.state,
        "version": message.version,
        "kind": message.kind,
        "rank": message.rank,
        "visit_number": message.visit_number,
        "flags": [flag["flag"] for flag in message.flags],
        "hold_reason": message.hold_reason,
        "sender": body.sender if body else "",
        "recipient": body.recipient if body else "",
        "subject": body.subject if body else "",
        "text": body.text if body else "",
        "html": body.html if body else None,
        "orders": [order.number for order in found.orders],
        "moves": list(found.moves),
    }


@review_app.command("approve")
def review_approve(
    messages: Annotated[list[str] | None, typer.Argument(help="Message ids.")] = None,
    kind: Annotated[str, typer.Option(help="All of this kind.")] = "",
    rank: Annotated[str, typer.Option(help="All of this rank.")] = "",
    channel: Annotated[str, typer.Option(help="All of this channel.")] = "",
    expected: Annotated[int | None, typer.Option(help="The exact number you mean.")] = None,
    with_flagged: Annotated[bool, typer.Option("--with-flagged")] = False,
    with_vip: Annotated[bool, typer.Option("--with-vip")] = False,
    version: Version = None,
    by: By = "",
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Approve mails by id, or all of a filter with their exact number."""
    runtime = open_runtime(data, config)
    context, who = runtime.context(), by or default_by()
    if messages:
        with runtime.transaction() as session:
            for message in messages:
                review.approve(
                    session, context, message, by=who, now=now(), version=version,
                    recheck=recheck,
                )  # fmt: skip
        count = len(messages)
        tell({"approved": messages}, as_json=as_json, text=f"{count}通を承認しました")
        return
    if expected is None:
        raise Wrong("give message ids, or a filter with --expected NUMBER.")
    with runtime.transaction() as session:
        result = review.approve_many(
            session, context, filters=_filters(runtime, kind, rank, channel), expected=expected,
            with_flagged=with_flagged, with_vip=with_vip, by=who, now=now(), recheck=recheck,
        )  # fmt: skip
    count = len(result.approved)
    tell(result, as_json=as_json, text=f"{count}通を承認しました / approved {count}")
    if result.refused:
        raise Findings


def _act(data: Path | None, config: Path | None, action: Any, **options: Any) -> None:
    runtime = open_runtime(data, config)
    with runtime.transaction() as session:
        action(session, runtime.context(), options.pop("message_id"), now=now(), **options)


@review_app.command("hold")
def review_hold(
    message: str, reason: str = "", version: Version = None, by: By = "", data: Data = None,
    config: Config = None,
) -> None:  # fmt: skip
    """Hold a mail."""
    _act(data, config, review.hold, message_id=message, reason=reason, by=by or default_by(),
         version=version)  # fmt: skip


@review_app.command("release")
def review_release(
    message: str, version: Version = None, by: By = "", data: Data = None, config: Config = None
) -> None:
    """Release a held mail back into review."""
    _act(data, config, review.release, message_id=message, by=by or default_by(), version=version)


@review_app.command("send-back")
def review_send_back(
    message: str,
    reason: Annotated[str, typer.Option(help="Why; the author needs it.")],
    version: Version = None,
    by: By = "",
    data: Data = None,
    config: Config = None,
) -> None:
    """Send a mail back with a reason."""
    _act(data, config, review.send_back, message_id=message, reason=reason,
         by=by or default_by(), version=version)  # fmt: skip


@review_app.command("edit")
def review_edit(
    message: str,
    subject: Annotated[str | None, typer.Option()] = None,
    text_file: Annotated[Path | None, typer.Option(help="File with the new text.")] = None,
    version: Version = None,
    by: By = "",
    data: Data = None,
    config: Config = None,
) -> None:
    """Change the words of one mail."""
    text = text_of(text_file) if text_file else None
    _act(data, config, review.edit, message_id=message, words=review.Words(subject, text),
         by=by or default_by(), version=version)  # fmt: skip


@review_app.command("undo")
def review_undo(message: str, by: By = "", data: Data = None, config: Config = None) -> None:
    """Take an approval back within its window."""
    _act(data, config, review.undo, message_id=message, by=by or default_by())


@review_app.command("cancel")
def review_cancel(
    message: str,
    reason: Annotated[str, typer.Option()] = "staff",
    by: By = "",
    data: Data = None,
    config: Config = None,
) -> None:
    """Cancel a mail for good."""
    _act(data, config, review.cancel, message_id=message, reason=reason, by=by or default_by())


@review_app.command("resolve")
def review_resolve(
    message: str,
    was: Annotated[str, typer.Option(help="sent, not-sent or abandon.")],
    by: By = "",
    data: Data = None,
    config: Config = None,
) -> None:
    """Say what became of a mail whose sending is unconfirmed."""
    known = {"sent": "was_sent", "not-sent": "was_not_sent", "abandon": "abandon"}
    if was not in known:
        raise Wrong(f"--was {was!r}: sent, not-sent or abandon.")
    _act(data, config, review.resolve_unconfirmed, message_id=message, how=known[was],
         by=by or default_by())  # fmt: skip


@review_app.command("send-again")
def review_send_again(message: str, by: By = "", data: Data = None, config: Config = None) -> None:
    """Make a new message like one that was sent; it waits for review."""
    _act(data, config, review.send_again, message_id=message, by=by or default_by())


@documents_app.command("check")
def documents_check(data: Data = None, config: Config = None) -> None:
    """Read all documents and tell every problem at once."""
    open_runtime(data, config).context()
    words.print("文書に誤りはありません / the documents are sound", markup=False)


@documents_app.command("diff")
def documents_diff(data: Data = None, config: Config = None, as_json: AsJson = False) -> None:
    """Show where the files differ from the published release."""
    runtime = open_runtime(data, config)
    with runtime.look() as session:
        found = differences(session, runtime.settings.config_dir)
    lines: list[str] = []
    for path, in_file, published in found:
        lines += difflib.unified_diff(
            (published or "").splitlines(), (in_file or "").splitlines(),
            f"release/{path}", f"file/{path}", lineterm="",
        )  # fmt: skip
    if as_json:
        tell([path for path, _, _ in found], as_json=True, text="")
    else:
        typer.echo("\n".join(lines))
    if found:
        raise Findings


@documents_app.command("push")
def documents_push(
    note: Annotated[str, typer.Option(help="What changed and why.")],
    by: By = "",
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Publish the files as a release, which then wins over them."""
    runtime = open_runtime(data, config)
    with runtime.transaction() as session:
        release = push(session, runtime.settings.config_dir, by or default_by(), note, now())
        number = release.id
    tell({"release": number}, as_json=as_json, text=f"公開しました: {number} / published")


@documents_app.command("pull")
def documents_pull(data: Data = None, config: Config = None, as_json: AsJson = False) -> None:
    """Write the published release back to the files."""
    runtime = open_runtime(data, config)
    with runtime.look() as session:
        changed = pull(session, runtime.settings.config_dir)
    tell(changed, as_json=as_json, text="\n".join(changed) or "同じです / nothing to change")
