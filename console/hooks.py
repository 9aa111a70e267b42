"""Where marketplaces nudge: signed webhooks, checked on the bytes as they came."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.concurrency import run_in_threadpool

from console.visit import House, house_of
from worker import log
from worker.pipeline.nudge import Nudged, nudge
from worker.store.engine import writing

router = APIRouter(include_in_schema=False)

MAX_BODY = 2 * 1024 * 1024
"""Bytes of one webhook; an order with hundreds of lines is far below."""

_STATUS = {
    Nudged.TAKEN: 200,
    Nudged.REPEATED: 200,  # or the marketplace would send it again and again
    Nudged.PING: 200,
    Nudged.REFUSED: 401,
    Nudged.UNKNOWN: 404,
}
_log = log.get("hooks")


@router.post("/hooks/{channel}")
async def hook(channel: str, request: Request) -> Response:
    """Have a channel polled sooner. Nothing of the body is believed or kept."""
    body = await _body(request)
    if body is None:
        return PlainTextResponse("too large", status_code=413)
    headers = {name.lower(): value for name, value in request.headers.items()}
    result = await run_in_threadpool(_take, house_of(request), channel, headers, body)
    _log.info("webhook", reason_code=result.value)
    return PlainTextResponse(result.value, status_code=_STATUS[result])


async def _body(request: Request) -> bytes | None:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY:
            return None
        parts.append(part)
    return b"".join(parts)


def _take(house: House, channel: str, headers: dict[str, str], body: bytes) -> Nudged:
    with writing(house.engine) as session:
        return nudge(session, house.ctx_factory(session), channel, headers, body, house.clock())
