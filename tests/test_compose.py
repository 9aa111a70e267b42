"""The reference for production starts what the code needs, and keeps no secret."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.folders import ROOT
from worker.settings import QUEUES, Settings

TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services of the compose file, their anchors resolved."""
    found: dict[str, Any] = yaml.safe_load(TEXT)["services"]
    return found


def test_each_queue_has_exactly_one_kind_of_worker(services: dict[str, Any]) -> None:
    served = [
        queue
        for name, service in services.items()
        if name.startswith("worker-")
        for queue in service["command"][service["command"].index("--queues") + 1].split(",")
    ]
    assert sorted(served) == sorted(QUEUES)


def test_there_is_one_beat_one_console_and_both_servers(services: dict[str, Any]) -> None:
    assert {"database", "broker", "migrate", "beat", "console"} <= set(services)
    assert services["beat"]["entrypoint"][:4] == ["celery", "--app", "worker.celery", "beat"]
    assert services["console"]["command"][0] == "console"


def test_every_part_waits_for_the_migrated_store(services: dict[str, Any]) -> None:
    for name, service in services.items():
        if name not in ("database", "broker", "migrate"):
            condition = service["depends_on"]["migrate"]["condition"]
            assert condition == "service_completed_successfully", name


def test_the_environment_given_is_one_that_settings_know(services: dict[str, Any]) -> None:
    given = set(services["console"]["environment"])
    assert given <= {f"OKAERI_{name.upper()}" for name in Settings.model_fields}


def test_passwords_come_from_outside_or_nothing_starts() -> None:
    for name in ("OKAERI_DATABASE_PASSWORD", "OKAERI_BROKER_PASSWORD"):
        uses = re.findall(rf"\$\{{{name}[^}}]*\}}", TEXT)
        assert uses, name
        assert set(uses) == {f"${{{name}:?set it in .env}}"}
    assert re.findall(r"(?i)password: +(?!\$)\S+", TEXT) == []


def test_each_variable_is_explained_at_the_top() -> None:
    head = TEXT.partition("x-okaeri")[0]
    for name in set(re.findall(r"\$\{(\w+)", TEXT)):
        assert name in head, name
