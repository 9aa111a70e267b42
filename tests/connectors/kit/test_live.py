"""Where a first read begins, what a vault without a store does, and what totals add up to."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.contract import ChannelConfig, Credential, Family, NeedsPerson
from connectors.kit.live import BEGINNING, Totals, first_instant
from connectors.kit.secrets import MemoryVault, NoSecrets, needed

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)


def config(settings: Mapping[str, Any]) -> ChannelConfig:
    return ChannelConfig("own:main", "shopify", Family.OWN, settings)


def test_a_first_read_begins_where_the_source_reaches() -> None:
    assert first_instant(config({}), NOW, 60) == NOW - timedelta(days=60)
    assert first_instant(config({}), NOW, None) == BEGINNING


def test_the_shop_may_begin_later_but_not_before_the_reach() -> None:
    later, earlier = "2026-11-01T00:00:00+09:00", "2020-01-01T00:00:00+09:00"
    assert first_instant(config({"since": later}), NOW, 60) == datetime.fromisoformat(later)
    assert first_instant(config({"since": earlier}), NOW, 60) == NOW - timedelta(days=60)


@pytest.mark.parametrize("told", ["yesterday", "2026-11-01T00:00:00"])
def test_a_beginning_without_zone_or_sense_is_told(told: str) -> None:
    with pytest.raises(NeedsPerson) as caught:
        first_instant(config({"since": told}), NOW, 60)
    assert told in caught.value.problem


def test_totals_are_untold_where_one_is() -> None:
    assert (Totals({"a": 100, "b": 250}).count, Totals({"a": 100, "b": 250}).total) == (2, 350)
    assert Totals({"a": 100, "b": None}).total is None
    assert Totals({}).total == 0


def test_a_missing_credential_says_where_the_shop_finds_it() -> None:
    key = Credential("key", "鍵", "Key", "設定画面です。", "In the settings.")
    assert needed(MemoryVault({"key": "value"}), key) == "value"
    for vault in (MemoryVault({}), MemoryVault({"key": ""}), NoSecrets()):
        with pytest.raises(NeedsPerson) as caught:
            needed(vault, key)
        assert caught.value.remedy == "設定画面です。 In the settings."


def test_no_vault_loses_no_value_silently() -> None:
    with NoSecrets().refreshing() as turn:
        assert turn is False
    with pytest.raises(RuntimeError):
        NoSecrets().put("token", "value")
