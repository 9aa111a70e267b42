"""Commands about review requests that a marketplace sends itself: list, plan, release, resolve."""

from __future__ import annotations

from typing import Annotated

import typer

from worker.cli.opening import (
    AsJson,
    By,
    Config,
    Data,
    Wrong,
    default_by,
    now,
    open_runtime,
    tell,
    tell_rows,
    words,
)
from worker.pipeline.solicit import (
    doubtful_requests,
    ready_requests,
    release_requests,
    resolve_request,
)
from worker.sending import standing
from worker.soliciting import plan_all_requests

requests_app = typer.Typer(
    help="モールのレビュー依頼 / Review requests by the marketplace: list, plan, release, resolve.",
    no_args_is_help=True,
)
_HOW = {"asked": "was_asked", "not-asked": "was_not_asked", "abandon": "abandon"}


@requests_app.command("list")
def requests_list(
    channel: Annotated[str, typer.Option(help="Only this channel.")] = "",
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """List the orders whose buyers the marketplace may be had to ask now."""
    runtime = open_runtime(data, config)
    with runtime.look() as session:
        ready = ready_requests(session, runtime.context(), now(), channel)
    columns = ["number", "channel", "ordered_at", "closes_at"]
    rows = [{name: getattr(one, name) for name in columns} for one in ready]
    tell_rows(rows, columns, as_json=as_json, empty="いまはありません / none now")


@requests_app.command("plan")
def requests_plan(data: Data = None, config: Config = None, as_json: AsJson = False) -> None:
    """Look through the orders now; the service does it by itself."""
    made = plan_all_requests(open_runtime(data, config), now())
    tell({"new": made}, as_json=as_json, text=f"新しく{made}件 / {made} new")


@requests_app.command("release")
def requests_release(
    orders: Annotated[list[str] | None, typer.Argument(help="Order numbers.")] = None,
    channel: Annotated[str, typer.Option(help="All that are open on this channel.")] = "",
    expected: Annotated[int, typer.Option(help="The exact number you mean.")] = 0,
    by: By = "",
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Leave review requests to the marketplace, by order or by channel, with their number."""
    if not orders and not channel:
        raise Wrong("give order numbers, or --channel, with --expected NUMBER.")
    runtime = open_runtime(data, config)
    context = runtime.context()
    with runtime.transaction() as session:
        ready = ready_requests(session, context, now(), channel)
        ids = [one.id for one in ready if not orders or one.number in orders]
        done = release_requests(
            session, context, ids, expected=expected, by=by or default_by(), now=now()
        )
    text = f"{len(done)}件をモールに任せました / left {len(done)} to the marketplace"
    if done and standing(runtime, now()).capture_only:
        text += (
            "\nいまは試運転のため、まだ依頼しません"
            " / nothing is asked yet: mails are only captured now"
        )
    tell({"released": len(done)}, as_json=as_json, text=text)


@requests_app.command("resolve")
def requests_resolve(
    order: str,
    was: Annotated[str, typer.Option(help="asked, not-asked or abandon.")],
    channel: Annotated[str, typer.Option(help="Where the number is another shop's too.")] = "",
    by: By = "",
    data: Data = None,
    config: Config = None,
) -> None:
    """Say what became of a request whose outcome nobody knows."""
    if was not in _HOW:
        raise Wrong(f"--was {was!r}: asked, not-asked or abandon.")
    runtime = open_runtime(data, config)
    with runtime.transaction() as session:
        found = doubtful_requests(session, order, channel)
        if len(found) != 1:
            raise Wrong(
                f"{order}: 結果の分からない依頼は{len(found)}件です。"
                f" / {len(found)} requests of this order are in doubt."
            )
        resolve_request(session, found[0], how=_HOW[was], by=by or default_by(), now=now())
    words.print(f"{order}: 記録しました / noted ({was})", markup=False)
