"""Step 1, pull: pages of raw orders are stored before anything is made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connectors.contract import (
    BadRecord,
    Connector,
    NeedsPerson,
    Order,
    Page,
    RawOrder,
    TryLater,
    Watermark,
)
from connectors.kit.live import StillPreparing
from worker.pipeline.batches import batch_import, count_page
from worker.pipeline.context import Context, Transaction
from worker.pipeline.ingest import IngestResult, ingest
from worker.store import raw_queries as raws
from worker.store.channels import Channel, StreamState
from worker.store.raw_queries import NewRaw, Rejected

Mapper = Callable[[RawOrder], Order]
"""Translates one raw order; raises BadRecord."""

_FIRST_WAIT = 60.0
_LONGEST_WAIT = 3600.0


@dataclass(frozen=True, slots=True)
class StoredPage:
    """What became of a page: ids of its raw orders in their order, and how many it rejected."""

    raw_ids: list[int]
    quarantined: int


@dataclass(frozen=True, slots=True)
class PullReport:
    """One run of a stream. ``problem`` and ``remedy`` are set where it stopped early."""

    channel: str
    stream: str
    pages: int = 0
    raws: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    stale: int = 0
    quarantined: int = 0
    finished: bool = False
    """The window was read to its end and the watermark has moved."""
    interrupted: bool = False
    """There may be more: the run was ended between two pages, or the source is preparing them."""
    waiting: str = ""
    """What the source is preparing, until ``retry_at``: no problem."""
    problem: str = ""
    remedy: str = ""
    retry_at: datetime | None = None


def store_page(
    session: Session,
    ctx: Context,  # noqa: ARG001 - every step is called alike
    channel: Channel,
    stream: str,  # noqa: ARG001 - named for those who will store streams apart
    page: Page,
    now: datetime,
    import_id: int | None = None,
) -> StoredPage:
    """Store the raw orders of a page, and what could not even be cut out of it."""
    prepared = [prepare(raw) for raw in page.raws]
    raw_ids = raws.store_raws(session, channel.id, prepared, now, import_id)
    rejected = [rejection(error) for error in page.rejected]
    quarantined = raws.store_rejected(session, channel.id, rejected, now, import_id)
    return StoredPage(raw_ids, quarantined)


def prepare(raw: RawOrder) -> NewRaw:
    """Write the payload as JSON, once, and hash it."""
    text, sha256 = raws.canonical(raw.payload)
    return NewRaw(raw.external_id[: raws.ID_LENGTH], raw.position, text, sha256)


_AHEAD = timedelta(days=1)
"""Clocks and zones differ by less."""


def rejection(error: BadRecord, raw: RawOrder | None = None, raw_id: int | None = None) -> Rejected:
    """Turn a connector's error into a case for quarantine."""
    return Rejected(
        external_id=error.external_id or (raw.external_id if raw else ""),
        position=error.position or (raw.position if raw else ""),
        code=error.code,
        field_name=error.field_name or "",
        reason=str(error),
        reason_ja=error.reason_ja or "",
        payload=raw.payload if raw else error.payload,
        raw_id=raw_id,
    )


def map_all(
    found: Iterable[RawOrder], mapper: Mapper, now: datetime
) -> tuple[list[Order | BadRecord], int]:
    """Map raw orders; a record that fails gives its error in its place. Also counts those."""
    results = [map_one(raw, mapper, now) for raw in found]
    return results, sum(isinstance(result, BadRecord) for result in results)


def map_one(raw: RawOrder, mapper: Mapper, now: datetime) -> Order | BadRecord:
    """Map one raw order and see that the ledger can hold it; gives the error where it cannot."""
    try:
        return _possible(_within_limits(mapper(raw)), now)
    except BadRecord as error:
        return error
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        return _unreadable(raw, error)


def _unreadable(raw: RawOrder, error: Exception) -> BadRecord:
    # A shape the connector never met must not stop the orders behind it (P1). The error's own
    # text may hold what a buyer wrote: only its type is told.
    return BadRecord(
        "unexpected_shape",
        f"The record has a shape that is not known yet ({type(error).__name__}).",
        external_id=raw.external_id,
        reason_ja=f"知らない形の受注データです({type(error).__name__})。",
    )


def _within_limits(order: Order) -> Order:
    for name in ("external_id", "number"):
        value = getattr(order, name)
        if not value or len(value) > raws.ID_LENGTH:
            raise BadRecord(
                "bad_number",
                f"The order number is empty or longer than {raws.ID_LENGTH} letters.",
                field_name=name,
                external_id=order.external_id[: raws.ID_LENGTH],
                reason_ja=f"注文番号が空か、{raws.ID_LENGTH}文字を超えています。",
            )
    if len(order.currency) != 3:
        raise BadRecord(
            "bad_currency",
            f"{order.currency!r} is not a currency code of three letters.",
            field_name="currency",
            external_id=order.external_id,
            reason_ja=f"「{order.currency}」は3文字の通貨コードではありません。",
        )
    return order


def _possible(order: Order, now: datetime) -> Order:
    """Refuse what no shop can have taken, whichever kind told it: it would spoil every number."""
    if order.ordered_at > now + _AHEAD:
        raise BadRecord(
            "future_date",
            f"The order is dated {order.ordered_at:%Y-%m-%d}, which is yet to come.",
            field_name="ordered_at",
            external_id=order.external_id,
            reason_ja=f"注文日が{order.ordered_at:%Y-%m-%d}で、まだ先の日付です。",
        )
    if order.total is not None and order.total < 0:
        raise BadRecord(
            "negative_total",
            "The total is negative.",
            field_name="total",
            external_id=order.external_id,
            reason_ja="合計が負の金額です。",
        )
    return order


def take_in(
    session: Session,
    ctx: Context,
    channel: Channel,
    found: Sequence[RawOrder],
    results: Sequence[Order | BadRecord],
    raw_ids: Sequence[int],
    now: datetime,
    import_id: int | None = None,
) -> tuple[IngestResult, int]:
    """Ingest what was mapped and quarantine what was not; each raw is one or the other (P1)."""
    pairs: list[tuple[int, Order]] = []
    failed: list[Rejected] = []
    for raw, raw_id, mapped in zip(found, raw_ids, results, strict=True):
        if isinstance(mapped, BadRecord):
            failed.append(rejection(mapped, raw, raw_id))
        else:
            pairs.append((raw_id, mapped))
    quarantined = raws.store_rejected(session, channel.id, failed, now, import_id)
    result = ingest(session, ctx, channel, pairs, now, import_id)
    sound = [order.external_id for _, order in pairs]
    raws.resolve_by_orders(session, channel.id, sound, now, import_id)
    return result, quarantined


# --- a stream --------------------------------------------------------------------------------


def run_stream(
    transaction: Transaction,
    ctx: Context,
    channel_name: str,
    connector: Connector,
    stream: str,
    now: datetime,
    between: Callable[[], None] | None = None,
    enough: Callable[[], bool] | None = None,
) -> PullReport:
    """Read a stream from its cursor or watermark to the end of the window.

    Each page is stored and ingested in a transaction of its own before the next is asked for;
    ``between`` is called after each, and where ``enough`` then says so the rest is left to the
    next run. The watermark moves only with the page that ends the window. A connector that
    needs a person pauses the channel; one that asks to wait, or whose answer as a whole is
    garbage, is asked again later.
    """
    watermark, cursor = _position(transaction, channel_name, stream)
    report = PullReport(channel_name, stream)
    try:
        for page in connector.pull(stream, watermark, cursor, now):
            mapped, _ = map_all(page.raws, connector.map, now)
            with transaction() as session:
                report = _take_page(session, ctx, report, page, mapped, now)
            if between is not None:
                between()
            if enough is not None and enough():
                report = replace(report, interrupted=True)
                break
    except NeedsPerson as error:
        with transaction() as session:
            return _paused(session, report, error)
    except StillPreparing as wait:
        with transaction() as session:
            return _prepared_later(session, report, wait, now)
    except (TryLater, BadRecord) as error:
        with transaction() as session:
            return _postponed(session, report, error, now)
    with transaction() as session:
        _succeeded(session, report, now)
    return report


def _position(
    transaction: Transaction, channel_name: str, stream: str
) -> tuple[Watermark, str | None]:
    with transaction() as session:
        channel = channel_named(session, channel_name)
        state = session.get(StreamState, (channel.id, stream))
        if state is None:
            session.add(StreamState(channel_id=channel.id, stream=stream))
            return Watermark(), None
        return Watermark(state.watermark), state.cursor


def channel_named(session: Session, name: str) -> Channel:
    """Find a channel; raises LookupError with its name where there is none."""
    channel = session.scalars(sa.select(Channel).where(Channel.name == name)).one_or_none()
    if channel is None:
        raise LookupError(f"there is no channel {name!r}")
    return channel


def _take_page(
    session: Session,
    ctx: Context,
    report: PullReport,
    page: Page,
    mapped: Sequence[Order | BadRecord],
    now: datetime,
) -> PullReport:
    channel = channel_named(session, report.channel)
    record = batch_import(session, channel, page.batch, now) if page.batch else None
    number = record.id if record else None
    stored = store_page(session, ctx, channel, report.stream, page, now, number)
    result, failed = take_in(session, ctx, channel, page.raws, mapped, stored.raw_ids, now, number)
    if record is not None:
        rejected = stored.quarantined + failed
        count_page(record, result, rejected, now, last=page.cursor is None)
    state = session.get_one(StreamState, (channel.id, report.stream))
    state.cursor = page.cursor
    finished = page.watermark is not None and page.cursor is None
    if page.watermark is not None and finished:
        state.watermark = page.watermark.value
    return replace(
        report,
        pages=report.pages + 1,
        raws=report.raws + len(page.raws),
        new=report.new + result.new,
        changed=report.changed + result.changed,
        unchanged=report.unchanged + result.unchanged,
        stale=report.stale + result.stale,
        quarantined=report.quarantined + stored.quarantined + failed,
        finished=finished,
    )


def _paused(session: Session, report: PullReport, error: NeedsPerson) -> PullReport:
    channel = channel_named(session, report.channel)
    channel.paused = True
    channel.pause_reason = f"{error.problem} {error.remedy}"
    channel.last_error = error.problem
    return replace(report, finished=False, problem=error.problem, remedy=error.remedy)


def _postponed(
    session: Session, report: PullReport, error: TryLater | BadRecord, now: datetime
) -> PullReport:
    channel = channel_named(session, report.channel)
    state = session.get_one(StreamState, (channel.id, report.stream))
    state.failures += 1
    own = min(_FIRST_WAIT * 2 ** min(state.failures - 1, 10), _LONGEST_WAIT)
    asked = error.retry_after if isinstance(error, TryLater) else None
    retry_at = now + timedelta(seconds=max(asked or 0.0, own))
    channel.next_poll_at = retry_at
    channel.last_error = str(error)
    return replace(report, finished=False, problem=str(error), retry_at=retry_at)


def _prepared_later(
    session: Session, report: PullReport, wait: StillPreparing, now: datetime
) -> PullReport:
    """The source answered and is at work: nobody is alarmed, and the waits do not grow."""
    channel = channel_named(session, report.channel)
    state = session.get_one(StreamState, (channel.id, report.stream))
    state.failures = 0
    channel.last_success_at, channel.last_error = now, ""
    retry_at = now + timedelta(seconds=wait.retry_after or _FIRST_WAIT)
    channel.next_poll_at = retry_at
    return replace(report, interrupted=True, waiting=str(wait), retry_at=retry_at)


def _succeeded(session: Session, report: PullReport, now: datetime) -> None:
    channel = channel_named(session, report.channel)
    state = session.get_one(StreamState, (channel.id, report.stream))
    state.failures = 0
    state.last_success_at = now
    channel.last_success_at = now
    channel.last_error = ""
