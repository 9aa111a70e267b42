"""Opens connectors with what live ones need: the vault of their channel and the shared pace."""

from __future__ import annotations

from sqlalchemy import select

from connectors.contract import ChannelConfig, Connector, Family, Pace
from connectors.kit.coupons import CouponSource
from connectors.kit.live import KnowsReach
from connectors.kit.pace import Lanes
from connectors.registry import connector_class, is_live, open_connector, open_coupon_source
from worker.pacing import client_of, shared_pace
from worker.pipeline.channel_vault import ChannelVault, Keyring
from worker.runtime import Runtime, clock
from worker.store.channels import Channel
from worker.store.engine import writing


class UnknownChannel(LookupError):
    """There is no channel of that name; the text says where to look."""


def channel_config(runtime: Runtime, name: str) -> ChannelConfig:
    """What the connector of a channel may know. Raises UnknownChannel."""
    zone = runtime.context().documents.shop.zone
    with runtime.look() as session:
        channel = session.scalar(select(Channel).where(Channel.name == name))
        if channel is None:
            raise UnknownChannel(
                f"店舗 {name!r} はありません / no channel named {name!r}: `okaeri channels list`"
            )
        return ChannelConfig(
            name=channel.name,
            kind=channel.kind,
            family=Family(channel.family),
            settings=dict(channel.settings),
            zone=zone,
        )


def keyring(runtime: Runtime) -> Keyring:
    """Opens and seals credentials with the installation's key, and with its former one."""
    settings = runtime.settings
    return Keyring.of(settings.secret_key(), settings.former_keys())


def vault_of(runtime: Runtime, name: str) -> ChannelVault:
    """The vault of a channel; what it keeps is on the disk before it goes on."""
    return ChannelVault(
        name,
        keyring(runtime),
        look=runtime.look,
        durable=lambda: writing(runtime.durable),
        owner=runtime.owner,
        clock=clock,
    )


def pace_of(runtime: Runtime, config: ChannelConfig) -> Pace:
    """The pace of a channel's account, shared over workers where there is a broker.

    Channels of one account (the setting ``account``) share their places.
    """
    account = str(config.settings.get("account") or config.name)
    lanes: Lanes = getattr(connector_class(config.kind), "LANES", {})
    return shared_pace(
        client_of(runtime.settings), f"{config.kind}/{account}", tuple(sorted(lanes.items()))
    )


def open_channel_connector(
    runtime: Runtime, config: ChannelConfig, *, pace: Pace | None = None
) -> Connector:
    """Make the connector of a channel with all it may use. Raises NeedsPerson."""
    drop, profiles = runtime.settings.drop, runtime.settings.config_dir / "profiles"
    if not is_live(config.kind):
        return open_connector(config, drop=drop, profiles=profiles)
    return open_connector(
        config,
        vault=vault_of(runtime, config.name),
        pace=pace or pace_of(runtime, config),
        drop=drop,
        profiles=profiles,
    )


def open_channel_coupons(runtime: Runtime, config: ChannelConfig) -> CouponSource:
    """Open the coupons of a channel with its vault and the pace of its account.

    Raises NeedsPerson.
    """
    vault, pace = vault_of(runtime, config.name), pace_of(runtime, config)
    return open_coupon_source(config, vault=vault, pace=pace)


def history_days(connector: Connector) -> int | None:
    """How many days back its source tells orders; None: all. May raise NeedsPerson or TryLater."""
    if isinstance(connector, KnowsReach):
        return connector.history_days()
    days: int | None = getattr(connector, "HISTORY_DAYS", None)
    return days
