"""The supervisor restarts what exits with growing pauses, and stops everything in order."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.processes import until
from worker import tasks
from worker.celery import SCHEDULE, VISIBILITY_SECONDS, app, make_app
from worker.settings import QUEUES, Settings
from worker.supervisor import Child, Supervisor, plan_children, worker_command


def child(tmp_path: Path, name: str, code: str) -> Child:
    environment = {**os.environ, "FOLDER": str(tmp_path), "NAME": name}
    return Child(name, [sys.executable, "-c", code], environment, tmp_path / f"{name}.log")


NOTE_END = """
import os, pathlib, signal, sys, time
folder, name = pathlib.Path(os.environ["FOLDER"]), os.environ["NAME"]
def end(*_):
    with (folder / "ended").open("a") as file: file.write(name + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
(folder / (name + ".up")).touch()
time.sleep(60)
"""
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"


def gone(pid: int) -> Callable[[], bool]:
    def look() -> bool:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0]
        except FileNotFoundError:
            return True
        return state == "Z"

    return look


def test_all_are_stopped_in_the_order_that_loses_least(tmp_path: Path) -> None:
    names = ["broker", "worker", "beat", "console"]
    children = [child(tmp_path, name, NOTE_END) for name in names]
    supervisor = Supervisor(children)

    def stop_when_up() -> None:
        if all((tmp_path / f"{name}.up").exists() for name in names):
            supervisor.stopping.set()

    supervisor.run(stop_when_up)

    assert (tmp_path / "ended").read_text().split() == ["beat", "worker", "console", "broker"]


def test_what_exits_is_started_again_after_a_pause_that_grows(tmp_path: Path) -> None:
    brief = child(tmp_path, "worker", "pass")
    brief.start()
    pauses = []
    for _ in range(8):
        assert brief.process is not None
        brief.process.wait()
        now = time.monotonic()
        brief.watch(now)
        pauses.append(brief.next_start - now)
        brief.watch(brief.next_start - 0.01)
        assert brief.process is None
        brief.watch(brief.next_start)
    brief.stop()

    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_a_child_that_lived_long_starts_its_pauses_anew(tmp_path: Path) -> None:
    steady = child(tmp_path, "worker", "pass")
    steady.backoff = 16.0
    steady.start()
    assert steady.process is not None
    steady.process.wait()

    steady.watch(steady.started + 61)

    assert steady.backoff == 0.5


def test_a_deaf_child_is_ended_by_force_with_its_offspring(tmp_path: Path) -> None:
    code = (
        "import pathlib, os, subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', {DEAF!r}])\n"
        "pathlib.Path(os.environ['FOLDER'], 'offspring').write_text(str(child.pid))\n"
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)\n"
    )
    deaf = child(tmp_path, "worker", code)
    deaf.start()
    told = tmp_path / "offspring"
    until(lambda: told.exists() and bool(told.read_text()))
    assert deaf.process is not None

    deaf.stop(0.3)

    assert deaf.process.poll() == -9
    until(gone(int(told.read_text())), 5)


def test_a_killed_child_takes_its_offspring_with_it(tmp_path: Path) -> None:
    code = (
        "import pathlib, os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "pathlib.Path(os.environ['FOLDER'], 'offspring').write_text(str(child.pid))\n"
        "time.sleep(60)\n"
    )
    parent = child(tmp_path, "worker", code)
    parent.start()
    told = tmp_path / "offspring"
    until(lambda: told.exists() and bool(told.read_text()))
    assert parent.process is not None
    parent.process.kill()
    parent.process.wait()

    parent.watch(time.monotonic())

    until(gone(int(told.read_text())), 5)


def test_a_broker_of_ones_own_is_not_started(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, broker_url="redis://elsewhere:6379/3")

    children, url = plan_children(settings)

    assert url == "redis://elsewhere:6379/3"
    assert [one.name for one in children] == ["worker", "beat", "console"]
    assert {one.environment["OKAERI_BROKER_URL"] for one in children} == {url}


def test_the_embedded_service_starts_the_broker_first(tmp_path: Path) -> None:
    children, url = plan_children(Settings(data=tmp_path))

    assert [one.name for one in children] == ["broker", "worker", "beat", "console"]
    assert str(tmp_path) in url


def test_no_password_stands_on_a_command_line(tmp_path: Path) -> None:
    settings = Settings(
        data=tmp_path, broker_url="redis://:sesame@h/0", database_url="postgresql://u:sesame@h/d"
    )

    children, _ = plan_children(settings)

    assert "sesame" not in " ".join(part for one in children for part in one.command)


def test_one_worker_takes_from_every_queue_a_task_can_go_to() -> None:
    conf = make_app("redis://127.0.0.1:1/0").conf
    command = worker_command(Settings())

    assert command[command.index("-Q") + 1] == ",".join(QUEUES)
    assert {route["queue"] for route in conf.task_routes.values()} <= set(QUEUES)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("task_acks_late", True),
        ("task_reject_on_worker_lost", True),
        ("worker_prefetch_multiplier", 1),
        ("worker_cancel_long_running_tasks_on_connection_loss", False),
        ("broker_connection_max_retries", None),
        ("task_serializer", "json"),
        ("accept_content", ["json"]),
        ("worker_consumer", "worker.celery:SoonBack"),
    ],
)
def test_the_measured_settings_stand(setting: str, value: object) -> None:
    assert make_app("redis://127.0.0.1:1/0").conf[setting] == value


def test_no_task_may_run_longer_than_the_broker_waits_for_its_end() -> None:
    limits = [app.conf.task_time_limit, tasks.dispatch.time_limit]

    assert max(limits) < VISIBILITY_SECONDS
    assert max(entry["schedule"] for entry in SCHEDULE.values()) < VISIBILITY_SECONDS
