"""クーポン: campaigns, codes from a file, shared codes, codes made at a shop, rewards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from fastapi import APIRouter, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile

from console.failures import told
from console.rendering import go, known, page
from console.views.coupon_form import (
    KINDS,
    FormView,
    Kind,
    Typed,
    blank,
    channels_for,
    live_terms,
    pool_terms,
    refusal,
    values_of,
)
from console.views.coupons import coupons_view
from console.visit import Admin, Approver, NoSuchPlace, Reading, Visit
from worker.pipeline.context import Context
from worker.pipeline.coupons import PoolRefused, PoolReport, load_codes, load_shared
from worker.pipeline.coupons_declared import declare_live, resume
from worker.store.grant_queries import UnknownPlace
from worker.store.rewards import CouponPool

router = APIRouter(prefix="/coupons")
_LARGEST = 5_000_000
"""Bytes of a file of codes: a hundred thousand of the longest ones fit."""
_DONE = ("saved", "resumed")


class _WrongLines(Exception):
    """Some lines are no codes: nothing is written."""

    def __init__(self, report: PoolReport) -> None:
        super().__init__(report.wrong)
        self.report = report


@router.get("")
def show(visit: Reading, state: str = "", after: str = "", done: str = "") -> Response:
    """Campaigns with their levels, and a page of rewards."""
    added, _, held = done.partition("-")
    loaded = (added, held) if added.isdecimal() and held.isdecimal() else None
    try:
        with visit.read() as (session, ctx):
            model = coupons_view(session, ctx, visit.words, visit.now, state=state, after=after)
    except UnknownPlace as error:
        raise NoSuchPlace from error
    return page(visit, "coupons.html", m=model, done=known(done, _DONE), loaded=loaded)


@router.get("/new")
def kinds(visit: Reading) -> Response:
    """Which kind of campaign."""
    return page(visit, "coupon_kinds.html", kinds=KINDS)


@router.get("/new/{kind}")
def new(visit: Reading, kind: str) -> Response:
    """An empty form."""
    return _form(visit, _kind(kind), blank(visit.words))


@router.get("/{pool_id:int}")
def edit(visit: Reading, pool_id: int) -> Response:
    """The form of a campaign: to add codes, to renew, to change terms."""
    with visit.read() as (session, ctx):
        pool = session.get(CouponPool, pool_id)
        if pool is None:
            return told(visit.request, 404, "not_found")
        kind, values = values_of(session, ctx, pool)
    return _form(visit, kind, values, existing=True)


@router.post("/single")
async def load(visit: Approver, request: Request) -> Response:
    """Take the codes of a file in: all of it, or nothing."""
    sent = await request.form()
    values = {name: value for name, value in sent.items() if isinstance(value, str)}
    file = sent.get("file")
    content = await file.read(_LARGEST + 1) if isinstance(file, UploadFile) else b""
    return _load(visit, values, content)


def _load(visit: Visit, values: Mapping[str, str], content: bytes) -> Response:
    typed = Typed(values, visit.words)
    name, terms = typed.pool_name(), pool_terms(typed, _today(visit))
    if not content:
        typed.fault("file", "file")
    if len(content) > _LARGEST:
        return told(visit.request, 413, "too_large", n=_LARGEST // 1_000_000)
    if typed.errors:
        return _form(visit, "single", values, errors=typed.errors)
    try:
        with visit.act("load_coupons", f"pool:{name}") as (session, ctx):
            report = load_codes(session, ctx, name, content, now=visit.now, **terms)
            if report.wrong:
                raise _WrongLines(report)
    except PoolRefused as refused:
        return _form(visit, "single", values, errors=refusal(refused, visit.words))
    except _WrongLines as wrong:
        return _form(visit, "single", values, lines=_lines(wrong.report, visit))
    return go(f"/coupons?done={report.added}-{report.known}")


def _lines(report: PoolReport, visit: Visit) -> tuple[tuple[str, str], ...]:
    words = visit.words
    return tuple(
        (words("coupons.line", n=each.line), words(f"pool_line.{each.code}"))
        for each in report.lines
    )


@router.post("/shared")
async def share(visit: Approver, request: Request) -> Response:
    """Enter a marketplace's code, or renew it."""
    values = {name: str(value) for name, value in (await request.form()).items()}
    typed = Typed(values, visit.words)
    name, terms = typed.pool_name(), pool_terms(typed, _today(visit))
    code = values.get("code", "").strip()[:200]
    if terms["expires_on"] is None:
        typed.fault("expires", "day")
    if not code:
        typed.fault("code", "terms")

    def write(session: Session, ctx: Context) -> None:
        load_shared(session, ctx, name, code, now=visit.now, **terms)

    return _write(visit, "shared", name, typed, write)


@router.post("/live")
async def declare(visit: Admin, request: Request) -> Response:
    """Have codes made at a shop, or change the terms of those not made yet."""
    values = {name: str(value) for name, value in (await request.form()).items()}
    typed = Typed(values, visit.words)
    name = typed.pool_name()
    coupon = live_terms(typed, name)

    def write(session: Session, ctx: Context) -> None:
        declare_live(session, ctx, name, coupon, visit.now)

    return _write(visit, "live", name, typed, write)


@router.post("/{pool_id:int}/resume")
def go_on(visit: Admin, pool_id: int) -> Response:
    """Let a paused pool go on, once what stopped it is mended."""
    with visit.read() as (session, _ctx):
        name = session.scalar(select(CouponPool.name).where(CouponPool.id == pool_id))
    if name is None:
        return told(visit.request, 404, "not_found")
    try:
        with visit.act("resume_coupons", f"pool:{name}") as (session, _ctx):
            resume(session, name, visit.now)
    except PoolRefused:
        return told(visit.request, 409, "stale")
    return go("/coupons?done=resumed")


def _write(
    visit: Visit,
    kind: Kind,
    name: str,
    typed: Typed,
    write: Callable[[Session, Context], None],
) -> Response:
    if typed.errors:
        return _form(visit, kind, typed.values, errors=typed.errors)
    try:
        with visit.act(f"{kind}_coupons", f"pool:{name}") as (session, ctx):
            write(session, ctx)
    except PoolRefused as refused:
        return _form(visit, kind, typed.values, errors=refusal(refused, visit.words))
    return go("/coupons?done=saved")


def _form(
    visit: Visit,
    kind: Kind,
    values: Mapping[str, str],
    *,
    errors: Mapping[str, str] | None = None,
    lines: tuple[tuple[str, str], ...] = (),
    existing: bool = False,
) -> Response:
    with visit.read() as (session, _ctx):
        channels = channels_for(session, kind, values.get("channel", ""), visit.words)
    shown = {**dict.fromkeys(blank(visit.words), ""), **values}
    model = FormView(kind, shown, channels, errors or {}, lines, known=existing)
    return page(visit, "coupon_form.html", 422 if errors or lines else 200, f=model)


def _kind(name: str) -> Kind:
    found = next((kind for kind in KINDS if kind == name), None)
    if found is None:
        raise NoSuchPlace
    return found


def _today(visit: Visit) -> date:
    with visit.read() as (_session, ctx):
        return visit.now.astimezone(ctx.zone).date()
