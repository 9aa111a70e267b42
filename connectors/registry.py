"""Every connector kind and where its class stands: a dictionary one can grep."""

from __future__ import annotations

import inspect
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol, cast

from connectors.contract import ChannelConfig, Connector, NeedsPerson, Pace, Vault
from connectors.kit.coupons import CouponSource
from connectors.kit.pace import LocalPace
from connectors.kit.secrets import NoSecrets

KINDS: dict[str, str] = {
    "csv_file": "connectors.csv_file.connector:CsvFile",
    "amazon": "connectors.amazon.connector:Amazon",
    "colorme": "connectors.colorme.connector:ColorMe",
    "aupay": "connectors.aupay.connector:AuPayMarket",
    "qoo10": "connectors.qoo10.connector:Qoo10",
    "eccube4": "connectors.eccube4.connector:EcCube4",
    "rakuten": "connectors.rakuten.connector:Rakuten",
    "shopify": "connectors.shopify.connector:Shopify",
    "thebase": "connectors.thebase.connector:Base",
    "woocommerce": "connectors.woocommerce.connector:WooCommerce",
    "yahoo": "connectors.yahoo.connector:YahooShopping",
}
"""kind → ``module:Class``; imported on first use only."""

COUPON_SOURCES: dict[str, str] = {
    "shopify": "connectors.shopify.coupons:ShopifyCoupons",
    "woocommerce": "connectors.woocommerce.coupons:WooCommerceCoupons",
}
"""kind → ``module:Class`` of a CouponSource, for the kinds whose shop makes codes when asked."""

COUPON_GROUP = "okaeri.coupons"
"""Entry-point group for coupon sources of packages outside this tree; they never replace ours."""

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


def coupon_kinds() -> tuple[str, ...]:
    """Name every kind whose shop makes coupon codes when asked, ours first."""
    points = entry_points(group=COUPON_GROUP)
    outside = sorted(point.name for point in points if point.name not in COUPON_SOURCES)
    return (*COUPON_SOURCES, *outside)


def makes_coupons(kind: str) -> bool:
    """Tell whether the shops of a kind make coupon codes when asked."""
    return kind in coupon_kinds()


def open_coupon_source(config: ChannelConfig, *, vault: Vault, pace: Pace) -> CouponSource:
    """Open the coupons of a channel. Raises NeedsPerson for a kind without them."""
    found: Any = None
    if config.kind in COUPON_SOURCES:
        module, _, name = COUPON_SOURCES[config.kind].partition(":")
        found = getattr(import_module(module), name)
    else:
        points = entry_points(group=COUPON_GROUP)
        found = next((point.load() for point in points if point.name == config.kind), None)
    if found is None:
        raise NeedsPerson(
            f"コネクタ「{config.kind}」ではクーポンを作れません。"
            f"The kind {config.kind!r} makes no coupons.",
            f"使える種類: {', '.join(coupon_kinds())}。Kinds that do are named there.",
        )
    return cast(CouponSource, found(config, vault=vault, pace=pace))
