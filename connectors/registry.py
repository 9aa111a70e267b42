"""Every connector kind and where its class stands: a dictionary one can grep."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol, cast

from connectors.contract import ChannelConfig, Connector, NeedsPerson

KINDS: dict[str, str] = {
    "csv_file": "connectors.csv_file.connector:CsvFile",
}
"""kind → ``module:Class``; imported on first use only."""

GROUP = "okaeri.connectors"
"""Entry-point group for connectors of packages outside this tree; they never replace ours."""


class ConnectorClass(Protocol):
    """How a connector is made. ``places`` are folders by name; a kind takes those it knows."""

    def __call__(self, config: ChannelConfig, **places: Path) -> Connector: ...


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


def open_connector(config: ChannelConfig, **places: Path) -> Connector:
    """Make the connector of a channel.

    ``places``: ``drop`` the folder that holds one drop folder per channel, ``profiles`` the
    shop's own file profiles. Raises NeedsPerson for an unknown kind or unusable settings.
    """
    return connector_class(config.kind)(config, **places)
