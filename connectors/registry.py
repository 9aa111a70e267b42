"""Every connector kind and where its class stands: a dictionary one can grep."""

from __future__ import annotations

import inspect
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol, cast

from connectors.contract import ChannelConfig, Connector, NeedsPerson, Pace, Vault
from connectors.kit.pace import LocalPace
from connectors.kit.secrets import NoSecrets

KINDS: dict[str, str] = {
    "csv_file": "connectors.csv_file.connector:CsvFile",
    "amazon": "connectors.amazon.connector:Amazon",
    "rakuten": "connectors.rakuten.connector:Rakuten",
    "shopify": "connectors.shopify.connector:Shopify",
    "thebase": "connectors.thebase.connector:Base",
    "woocommerce": "connectors.woocommerce.connector:WooCommerce",
    "yahoo": "connectors.yahoo.connector:YahooShopping",
}
"""kind → ``module:Class``; imported on first use only."""

GROUP = "okaeri.connectors"
"""Entry-point group for connectors of packages outside this tree; they never replace ours."""


class ConnectorClass(Protocol):
    """How a connector is made. ``tools`` are folders by name; a kind takes those it knows.

    A live kind names ``vault`` and ``pace`` among its parameters and is given both.
    """

    def __call__(self, config: ChannelConfig, **tools: Any) -> Connector: ...


def kinds() -> tuple[str, ...]:
    """Name every kind that can be opened, ours first."""
    outside = sorted(point.name for point in entry_points(group=GROUP) if point.name not in KINDS)
    return (*KINDS, *outside)


def connector_class(kind: str) -> ConnectorClass:
    """Import the class of a kind; raises NeedsPerson for a kind that is not installed."""
    if kind in KINDS:
        module, _, name = KINDS[kind].partition(":")
        return cast(ConnectorClass, getattr(import_module(module), name))
    for point in entry_points(group=GROUP):
        if point.name == kind:
            return cast(ConnectorClass, point.load())
    raise NeedsPerson(
        f"コネクタ「{kind}」がありません。There is no connector of kind {kind!r}.",
        f"次から選んでください。Choose one of: {', '.join(kinds())}.",
    )


def takes(kind: str, tool: str) -> bool:
    """Tell whether the class of a kind names a parameter, such as ``vault``."""
    return tool in inspect.signature(connector_class(kind)).parameters


def is_live(kind: str) -> bool:
    """Tell whether a kind talks to a marketplace: it asks for credentials."""
    return takes(kind, "vault")


def open_connector(
    config: ChannelConfig, *, vault: Vault | None = None, pace: Pace | None = None, **places: Path
) -> Connector:
    """Make the connector of a channel.

    ``vault`` and ``pace`` go to the kinds that take them: live ones. Without a vault such a
    connector can map and no more; without a shared pace it keeps its own. ``places``: ``drop``
    the folder that holds one drop folder per channel, ``profiles`` the shop's file profiles.
    Raises NeedsPerson for an unknown kind or unusable settings.
    """
    found = connector_class(config.kind)
    named = {
        "vault": vault or NoSecrets(),
        "pace": pace or LocalPace(getattr(found, "LANES", {})),
    }
    tools = {name: tool for name, tool in named.items() if takes(config.kind, name)}
    return found(config, **tools, **places)
