"""Commands that read the ledger and explain it, and the lists for the packing table."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from connectors.kit.defuse import defuse
from worker.cli.imports import settle
from worker.cli.opening import (
    AsJson,
    By,
    Config,
    Data,
    Findings,
    Wrong,
    day,
    default_by,
    now,
    open_runtime,
    tell,
    tell_rows,
    to_json,
    words,
)
from worker.pipeline import packing
from worker.pipeline.audit import record_export
from worker.pipeline.explain import explain
from worker.pipeline.export import EXPORTS
from worker.pipeline.identify import decide_candidate, unmerge
from worker.pipeline.rank import pin, unpin
from worker.pipeline.rewards import decide_grant, waiting_grants
from worker.pipeline.verify import verify
from worker.rules.staff_words import GRANT_REASONS, GRANTS, say
from worker.runtime import Runtime
from worker.sending import open_journal
from worker.store.customers import Candidate

customers_app = typer.Typer(
    help="顧客 / Customers: list, candidates, merge decisions, pins.", no_args_is_help=True
)
packing_app = typer.Typer(help="同梱物 / Packing list: list, tick, csv.", no_args_is_help=True)

Locale = Annotated[Literal["ja", "en"] | None, typer.Option("--lang", help="ja or en.")]


@customers_app.command("list")
def customers_list(
    limit: Annotated[int, typer.Option(min=1)] = 50,
    by: By = "",
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """List customers with visits, spend and rank."""
    runtime = open_runtime(data, config)
    with runtime.look() as session:
        rows = list(islice(EXPORTS["customers"](session, runtime.context(), now()), limit))
    if as_json:
        _tell_export(runtime, "customers", "json", len(rows), by)
    columns = ["customer", "name", "order_count", "lifetime_spend", "last_order_at", "rank"]
    tell_rows(rows, columns, as_json=as_json, empty="まだ顧客がいません / none yet")


@customers_app.command("candidates")
def customers_candidates(data: Data = None, config: Config = None, as_json: AsJson = False) -> None:
    """List possible same persons that wait for a decision."""
    runtime = open_runtime(data, config)
    with runtime.look() as session:
        rows = [
            {"id": row.id, "a": row.customer_a, "b": row.customer_b, "reason": row.reason}
            for row in session.query(Candidate).where(Candidate.state == "open")
        ]
    tell_rows(rows, ["id", "a", "b", "reason"], as_json=as_json, empty="名寄せ候補なし / none")


@customers_app.command("decide")
def customers_decide(
    candidate: int,
    same: Annotated[bool, typer.Option("--same/--different", help="One person or two?")],
    by: By = "",
    data: Data = None,
    config: Config = None,
) -> None:
    """Decide whether two customers are one; both ways can be taken back."""
    runtime = open_runtime(data, config)
    with runtime.transaction() as session:
        decide_candidate(session, runtime.context(), candidate, same, by or default_by(), now())
    settle(runtime)


@customers_app.command("unmerge")
def customers_unmerge(merge: int, by: By = "", data: Data = None, config: Config = None) -> None:
    """Take a merge back; numbers, ranks and waiting mails follow."""
    runtime = open_runtime(data, config)
    with runtime.transaction() as session:
        unmerge(session, runtime.context(), merge, by or default_by(), now())
    settle(runtime)


@customers_app.command("pin")
def customers_pin(
    customer: int,
    rank: Annotated[str, typer.Argument(help="Rank id; 'none' takes the pin off.")],
    scope: Annotated[str, typer.Option()] = "own",
    until: Annotated[str, typer.Option(help="Last day of the pin.")] = "",
    reason: Annotated[str, typer.Option()] = "",
    by: By = "",
    data: Data = None,
    config: Config = None,
) -> None:
    """Fix a customer's rank until a day."""
    runtime = open_runtime(data, config)
    context = runtime.context()
    known = [rung.id for rung in context.documents.ladder.rungs]
    if rank not in (*known, "none"):
        raise Wrong(f"unknown rank {rank!r}. Ranks: {', '.join(known)}.")
    with runtime.transaction() as session:
        if rank == "none":
            unpin(session, context, customer, scope, by or default_by(), now())
        else:
            pin(
                session, context, customer, scope, rank,
                day(until) if until else None, by or default_by(), reason, now(),
            )  # fmt: skip
    settle(runtime)


def why(
    what: Annotated[str, typer.Argument(help="Order number, message id or customer id.")],
    lang: Locale = None,
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Explain in words: which visit, which rank, which mail or why none."""
    runtime = open_runtime(data, config)
    context = runtime.context()
    with runtime.look() as session:
        lines = explain(session, context, what, lang or context.documents.shop.locale)
    if not lines:
        raise Wrong(
            f"{what!r} という注文番号・メール・顧客はありません / "
            f"{what!r} is no order number, message id or customer id here."
        )
    if as_json:
        typer.echo(to_json(lines, indent=2))
    else:
        typer.echo("\n".join(lines))


def export(
    what: Annotated[
        Literal["orders", "customers", "grants", "messages", "occasions"], typer.Argument()
    ],
    format_: Annotated[Literal["jsonl", "json", "csv"], typer.Option("--format")] = "jsonl",
    out: Annotated[Path | None, typer.Option("--out", help="File; else standard output.")] = None,
    by: By = "",
    data: Data = None,
    config: Config = None,
) -> None:
    """Write the ledger out; the audit tells who took it."""
    runtime = open_runtime(data, config)
    with runtime.look() as session:
        rows = list(EXPORTS[what](session, runtime.context(), now()))
        text = "".join(_lines(iter(rows), format_))
    _tell_export(runtime, what, format_, len(rows), by)
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, encoding="utf-8-sig" if format_ == "csv" else "utf-8")


def _tell_export(runtime: Runtime, what: str, form: str, count: int, by: str) -> None:
    """Before anything is handed out: nothing leaves untold."""
    with runtime.transaction() as session:
        record_export(session, what=what, form=form, count=count, by=by or default_by(), now=now())


def _lines(rows: Iterator[dict[str, Any]], form: str) -> Iterator[str]:
    if form == "jsonl":
        for row in rows:
            yield to_json(row) + "\n"
    elif form == "json":
        yield to_json(list(rows), indent=2) + "\n"
    else:
        yield _csv(list(rows))


def _csv(rows: list[dict[str, Any]]) -> str:
    """CSV for spreadsheets: formulas are defused."""
    text = io.StringIO()
    if rows:
        writer = csv.writer(text)
        writer.writerow(rows[0])
        for row in rows:
            writer.writerow([_cell(value) for value in row.values()])
    return text.getvalue()


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, int | float):
        return "" if value is None else value
    return defuse(value if isinstance(value, str) else to_json(value).strip('"'))


def verify_command(data: Data = None, config: Config = None, as_json: AsJson = False) -> None:
    """Check the promises on the live data; exit code 1 when one does not hold."""
    runtime = open_runtime(data, config)
    with runtime.look() as session:
        findings = verify(session, runtime.context(), open_journal(runtime.settings), now())
    if as_json:
        typer.echo(to_json(findings, indent=2))
    for finding in findings:
        words.print(f"{finding.promise} {finding.text} ({finding.count})", markup=False)
    if findings:
        raise Findings
    words.print("約束はすべて守られています / every promise holds", markup=False)


@packing_app.command("list")
def packing_list(data: Data = None, config: Config = None, as_json: AsJson = False) -> None:
    """List the orders that must carry a card, sample or letter."""
    runtime = open_runtime(data, config)
    context = runtime.context()
    with runtime.look() as session:
        rows = packing.packing_list(session, context, now().astimezone(context.zone).date())
    columns = ["item_id", "order_number", "channel", "name", "item", "label", "packed_at", "held"]
    plain = [
        {column: getattr(row, column) for column in (*columns, "milestone", "text", "coupon")}
        for row in rows
    ]
    tell_rows(plain, columns, as_json=as_json, empty="今日の同梱物はありません / nothing today")


@packing_app.command("tick")
def packing_tick(items: list[int], by: By = "", data: Data = None, config: Config = None) -> None:
    """Tick items as packed."""
    runtime = open_runtime(data, config)
    with runtime.transaction() as session:
        for item in items:
            packing.tick(session, item, by or default_by(), now())


@packing_app.command("waiting")
def packing_waiting(
    lang: Locale = None, data: Data = None, config: Config = None, as_json: AsJson = False
) -> None:
    """List rewards that wait for a person: missed, uncertain or above the gift limit."""
    runtime = open_runtime(data, config)
    with runtime.look() as session:
        rows = [
            {"grant": row.id, "customer": row.customer_id, "scope": row.scope,
             "milestone": row.milestone, "why": row.reason.get("code", ""),
             "words": say(GRANT_REASONS, row.reason.get("code", ""), lang or "ja")}
            for row in waiting_grants(session)
        ]  # fmt: skip
    columns = ["grant", "customer", "scope", "milestone", "words"]
    tell_rows(rows, columns, as_json=as_json, empty="判断待ちの特典はありません / none waits")


@packing_app.command("decide")
def packing_decide(
    grant: int,
    give: Annotated[bool, typer.Option("--give/--leave", help="Give it now, or leave it.")],
    by: By = "",
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Give a reward that waits for a person, or leave it."""
    runtime = open_runtime(data, config)
    with runtime.transaction() as session:
        who, at = by or default_by(), now()
        decided = decide_grant(session, runtime.context(), grant, give=give, by=who, now=at)
        state = decided.state
    settle(runtime)
    text = f"{grant}: {say(GRANTS, state, 'ja')} / {say(GRANTS, state, 'en')}"
    tell({"grant": grant, "state": state}, as_json=as_json, text=text)


@packing_app.command("csv")
def packing_csv(
    out: Annotated[Path | None, typer.Option("--out")] = None,
    by: By = "",
    data: Data = None,
    config: Config = None,
) -> None:
    """Write the packing list as CSV for the order hub's slip."""
    runtime = open_runtime(data, config)
    context = runtime.context()
    with runtime.look() as session:
        rows = packing.packing_list(session, context, now().astimezone(context.zone).date())
    content = packing.packing_csv(rows)
    _tell_export(runtime, "packing", "csv", len(rows), by)
    if out is None:
        sys.stdout.buffer.write(content)
    else:
        out.write_bytes(content)
