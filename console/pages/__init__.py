"""The desk's pages, one module each; a module reads a view model and prints it."""

from __future__ import annotations

from console.pages import (
    batch,
    candidates,
    channels,
    channels_import,
    channels_login,
    channels_new,
    customer,
    customers,
    handoffs,
    login,
    mail,
    messages,
    more,
    notes,
    packing,
    quarantine,
    queue,
    reading,
    settings,
    settings_release,
    stops,
    tasks,
    templates,
    templates_edit,
    templates_publish,
    today,
    unconfirmed,
)

ROUTERS = (
    login.router,
    today.router,
    queue.router,
    batch.router,
    reading.router,
    mail.router,
    messages.router,
    unconfirmed.router,
    handoffs.router,
    stops.router,
    quarantine.router,
    packing.router,
    candidates.router,
    customers.router,  # before the card: its paths are more exact
    customer.router,
    notes.router,
    tasks.router,
    channels_new.router,  # before the pages of a channel: their paths are more exact
    channels_login.router,
    channels_import.router,
    channels.router,
    templates_edit.router,
    templates_publish.router,
    templates.router,
    settings_release.router,  # before the pages: its paths are more exact
    settings.router,
    more.router,
)
