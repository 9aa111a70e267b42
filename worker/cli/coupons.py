"""Commands about coupons: codes from a file, a marketplace's one code, codes made at the shop."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from worker.advance import coupons as ask_shops
from worker.cli.opening import (
    AsJson,
    Config,
    Data,
    Findings,
    Wrong,
    day,
    now,
    open_runtime,
    tell,
    tell_rows,
)
from worker.pipeline.coupons import PoolReport, load_pool, load_shared
from worker.pipeline.coupons_declared import declare_live, follow_documents, resume
from worker.pipeline.coupons_level import pool_levels
from worker.rules.live_coupons import LiveCoupon

coupons_app = typer.Typer(
    help="クーポン / Coupon pools: load, live, resume, make, list.", no_args_is_help=True
)


@coupons_app.command("load")
def coupons_load(
    pool: str,
    value: Annotated[int, typer.Option(help="Yen off.")],
    file: Annotated[Path | None, typer.Argument(help="Single-use codes, one a line.")] = None,
    shared: Annotated[str, typer.Option(help="A marketplace's one code for everybody.")] = "",
    minimum: Annotated[int, typer.Option(help="Least order in yen.")] = 0,
    targets: Annotated[str, typer.Option()] = "全商品",
    expires: Annotated[str, typer.Option(help="Last day.")] = "",
    channel: Annotated[str, typer.Option(help="Redeeming channel.")] = "",
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Load single-use codes from a file into a pool, or enter a marketplace's shared code."""
    if (file is None) == (not shared):
        raise Wrong("give either a file of codes or --shared CODE.")
    runtime = open_runtime(data, config)
    terms: dict[str, Any] = {
        "value": value, "minimum": minimum, "targets": targets, "now": now(),
        "expires_on": day(expires) if expires else None, "channel": channel or None,
    }  # fmt: skip
    with runtime.transaction() as session:
        if file is None:
            load_shared(session, runtime.context(), pool, shared, **terms)
            report = PoolReport(added=1, known=0, wrong=0)
        else:
            report = load_pool(session, runtime.context(), pool, file, **terms)
    tell(report, as_json=as_json, text=_report_words(pool, report))
    if report.wrong:
        raise Findings


def _report_words(pool: str, report: PoolReport) -> str:
    """What the numbers are; with a wrong line nothing was added, and it says which."""
    told = (
        f"{pool}: 追加 {report.added}件、登録済み {report.known}件、読めない行 {report.wrong}件 / "
        f"{report.added} added, {report.known} known already, {report.wrong} unreadable lines"
    )
    if not report.wrong:
        return told
    nothing = "読めない行があるため、何も追加していません / nothing was added"
    return "\n".join([told, nothing, *(f"  {error}" for error in report.errors)])


@coupons_app.command("live")
def coupons_live(
    pool: str,
    channel: Annotated[str, typer.Option(help="Whose shop makes and redeems the codes.")],
    value: Annotated[int, typer.Option(help="Yen off.")] = 0,
    percent: Annotated[int, typer.Option(help="Per cent off, instead of yen.")] = 0,
    minimum: Annotated[int, typer.Option(help="Least order in yen.")] = 0,
    days: Annotated[int, typer.Option(help="Valid for so many days after it is made.")] = 90,
    title: Annotated[str, typer.Option(help="Its name in the shop's own screens.")] = "",
    targets: Annotated[str, typer.Option(help="What it is good for, in the mail's words.")] = "",
    bound: Annotated[
        bool, typer.Option("--bound/--unbound", help="Only its buyer may use a code.")
    ] = True,
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Have codes made in a shop's own cart when they are needed, or change their terms."""
    runtime = open_runtime(data, config)
    coupon = LiveCoupon(channel, value, percent, minimum, days, title, targets, bound)
    with runtime.transaction() as session:
        declare_live(session, runtime.context(), pool, coupon, now())
    text = (
        f"{pool}: コードは必要なときに {channel} で作ります / "
        f"codes are made at {channel} when they are needed"
    )
    tell({"pool": pool, "channel": channel}, as_json=as_json, text=text)


@coupons_app.command("resume")
def coupons_resume(pool: str, data: Data = None, config: Config = None) -> None:
    """Let a paused pool go on, once what stopped it is mended."""
    runtime = open_runtime(data, config)
    with runtime.transaction() as session:
        resume(session, pool, now())
    tell(None, as_json=False, text=f"{pool}: 再開しました / goes on")


@coupons_app.command("make")
def coupons_make(data: Data = None, config: Config = None, as_json: AsJson = False) -> None:
    """Ask the shops now for what is due; a running service does the same by itself."""
    runtime = open_runtime(data, config)
    confirmed = ask_shops(runtime, now())
    with runtime.look() as session:
        levels = [level for level in pool_levels(session, now()) if level.live]
    problems = [f"{level.name}: {level.problem}" for level in levels if level.problem]
    result = {
        "confirmed": confirmed,
        "waiting": sum(level.waiting for level in levels),
        "problems": problems,
    }
    told = (
        f"ショップが確認したコード {confirmed}件、待っているコード {result['waiting']}件 / "
        f"{confirmed} confirmed by the shop, {result['waiting']} waiting"
    )
    tell(result, as_json=as_json, text="\n".join([told, *problems]))
    if problems:
        raise Findings


@coupons_app.command("list")
def coupons_list(data: Data = None, config: Config = None, as_json: AsJson = False) -> None:
    """List pools with what is left, the cards that carry them, and what needs eyes."""
    runtime = open_runtime(data, config)
    with runtime.transaction() as session:
        follow_documents(session, runtime.context(), now())
        rows = [
            {"pool": level.name, "left": level.left, "low": level.low, "expires": level.expires_at,
             "shared": level.shared, "printed": level.printed, "stopped": level.stopped,
             "live": level.live, "waiting": level.waiting, "problem": level.problem}
            for level in pool_levels(session, now())
        ]  # fmt: skip
    columns = [
        *("pool", "left", "low", "expires", "shared", "printed", "stopped"),
        *("live", "waiting", "problem"),
    ]
    tell_rows(rows, columns, as_json=as_json, empty="なし / none")
