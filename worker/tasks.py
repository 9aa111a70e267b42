"""Celery tasks: thin, at-least-once, with ids as their only arguments.

Each asks the database what is due. A lost task costs a sweep's interval, a doubled one finds
nothing left to do.
"""

from __future__ import annotations

from typing import Any

from celery.signals import setup_logging, worker_process_init, worker_process_shutdown

from worker import log
from worker.advance import advance as advance_ledger
from worker.advance import render as render_messages
from worker.backfill_wishes import fulfil_wishes
from worker.celery import DISPATCH_HARD_LIMIT_SECONDS, app
from worker.daily import run_daily
from worker.minting import ask_used, mint_pool, pools_due, tell_waiting
from worker.polling import due_channels, poll_if_due
from worker.reconciling import reconcile_channels
from worker.returning import take_returns
from worker.runtime import clock, forget, present
from worker.sending import dispatch_round
from worker.soliciting import plan_all_requests, solicit_round
from worker.store.work import pending

_log = log.get("tasks")


@setup_logging.connect
def _configure_logs(**_ignored: Any) -> None:
    log.configure(present().settings.log)


@worker_process_init.connect
def _after_fork(**_ignored: Any) -> None:
    forget(forked=True)


@worker_process_shutdown.connect
def _before_end(**_ignored: Any) -> None:
    forget()


@app.task(name="okaeri.tick")
def tick() -> None:
    """Look whether any step has work and wake it; one cheap query for each."""
    runtime = present()
    with runtime.look() as session:
        waiting = pending(session, clock())
    for name, due in waiting.items():
        if due:
            app.send_task(f"okaeri.{name}", expires=30)


@app.task(name="okaeri.poll")
def poll() -> None:
    """Start a poll of each channel whose time has come."""
    for name in due_channels(present(), clock()):
        poll_channel.apply_async((name,), expires=120)


@app.task(name="okaeri.poll_channel")
def poll_channel(channel: str) -> None:
    """Poll one channel under its lease; new orders wake the next step."""
    if poll_if_due(present(), channel, clock()).pages:
        app.send_task("okaeri.advance", expires=30)


@app.task(name="okaeri.backfill")
def backfill() -> None:
    """Read on in the past of channels where somebody at the desk asked for it."""
    if fulfil_wishes(present(), clock()):
        app.send_task("okaeri.advance", expires=30)


@app.task(name="okaeri.advance")
def advance() -> None:
    """Identify, rank, reward and plan what is due."""
    done = advance_ledger(present(), clock())
    _log.info("ledger_advanced", count=done.rounds)
    if done.rounds and done.finished:
        app.send_task("okaeri.render", expires=30)


@app.task(name="okaeri.render")
def render() -> None:
    """Render messages whose time for review has come."""
    _log.info("messages_rendered", count=render_messages(present(), clock()))


@app.task(name="okaeri.coupons")
def coupons() -> None:
    """Start a turn for each pool at whose shop something is due; write what waited for codes."""
    runtime = present()
    for pool_id in pools_due(runtime, clock()):
        coupons_pool.apply_async((pool_id,), expires=120)
    tell_waiting(runtime, clock())


@app.task(name="okaeri.coupons_pool")
def coupons_pool(pool_id: int) -> None:
    """Have one pool's shop make, confirm and end codes; the mails that waited are written."""
    mint_pool(present(), pool_id, clock())
    tell_waiting(present(), clock())


@app.task(
    name="okaeri.dispatch",
    soft_time_limit=DISPATCH_HARD_LIMIT_SECONDS - 15,
    time_limit=DISPATCH_HARD_LIMIT_SECONDS,
)
def dispatch() -> None:
    """Send approved messages that are due, and look after those that died on the way."""
    dispatch_round(present(), clock())


@app.task(name="okaeri.solicit")
def solicit() -> None:
    """Have marketplaces ask for the reviews that staff released."""
    solicit_round(present(), clock())


@app.task(name="okaeri.returns")
def returns() -> None:
    """Take in bounces, complaints and replies."""
    take_returns(present(), clock())


@app.task(name="okaeri.daily")
def daily() -> None:
    """Work that is done once each shop-local day, whenever the service happens to run."""
    run_daily(present(), clock())
    reconcile_channels(present(), clock())
    ask_used(present(), clock())
    plan_all_requests(present(), clock())
