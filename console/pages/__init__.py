"""The desk's pages, one module each; a module reads a view model and prints it."""

from __future__ import annotations

from console.pages import (
    batch,
    candidates,
    handoffs,
    login,
    mail,
    messages,
    more,
    packing,
    quarantine,
    queue,
    stops,
    today,
    unconfirmed,
)

ROUTERS = (
    login.router,
    today.router,
    queue.router,
    batch.router,
    mail.router,
    messages.router,
    unconfirmed.router,
    handoffs.router,
    stops.router,
    quarantine.router,
    packing.router,
    candidates.router,
    more.router,
)
