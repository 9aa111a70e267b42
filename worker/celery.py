"""The Celery application: settings that were measured, each with its reason."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from celery import Celery
from celery.worker.consumer import Consumer
from kombu.entity import Queue

from worker.settings import QUEUES

VISIBILITY_SECONDS = 900
"""Redis hands an unacknowledged task out again after this; longer than the longest task."""
HARD_LIMIT_SECONDS = 600
DISPATCH_HARD_LIMIT_SECONDS = 870
"""One mail may wait ten minutes at SMTP's final dot (RFC 5321, 4.5.3.2.6), and the task takes no
new mail after two minutes: 120 + 600 + slack, still under the visibility timeout."""

SCHEDULE: dict[str, dict[str, Any]] = {
    # The beat only makes things sooner: each sweep looks the work up in the database (P16).
    "tick": {"task": "okaeri.tick", "schedule": 10.0, "options": {"expires": 10}},
    "poll": {"task": "okaeri.poll", "schedule": 30.0, "options": {"expires": 30}},
    "plan": {"task": "okaeri.advance", "schedule": 30.0, "options": {"expires": 30}},
    "render": {"task": "okaeri.render", "schedule": 30.0, "options": {"expires": 30}},
    "coupons": {"task": "okaeri.coupons", "schedule": 30.0, "options": {"expires": 30}},
    "dispatch": {"task": "okaeri.dispatch", "schedule": 30.0, "options": {"expires": 30}},
    "solicit": {"task": "okaeri.solicit", "schedule": 60.0, "options": {"expires": 60}},
    "returns": {"task": "okaeri.returns", "schedule": 60.0, "options": {"expires": 60}},
    "backfill": {"task": "okaeri.backfill", "schedule": 30.0, "options": {"expires": 30}},
    "daily": {"task": "okaeri.daily", "schedule": 600.0, "options": {"expires": 600}},
}


RECONNECT_MOST_SECONDS = 4.0
"""Longest pause between two tries to reach a broker that went away; Celery's own grow to 30."""


class SoonBack(Consumer):  # type: ignore[misc]
    """The worker's consumer, back at work within ten seconds of the broker's return."""

    def ensure_connected(self, conn: Any) -> Any:
        """Connect, trying again and again with short pauses."""
        conn.ensure_connection = partial(
            conn.ensure_connection, interval_max=RECONNECT_MOST_SECONDS
        )
        return super().ensure_connected(conn)


def make_app(broker_url: str, zone: str = "Asia/Tokyo") -> Celery:
    """Build the application for a broker; results live in the database, so there is no backend."""
    app = Celery("okaeri", broker=broker_url, include=["worker.tasks"])
    app.conf.update(
        # A killed pool child is run again in seconds instead of being lost.
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        broker_transport_options={
            "visibility_timeout": VISIBILITY_SECONDS,
            # The defaults look for lost tasks only every hundred seconds or so.
            "unacked_restore_interval": 15,
            "unacked_restore_throttle": 1,
            "socket_timeout": 30,
            "socket_connect_timeout": 5,
            "health_check_interval": 25,
            "socket_keepalive": True,
            "global_keyprefix": os.environ.get("OKAERI_BROKER_PREFIX", "okaeri:"),
        },
        task_soft_time_limit=HARD_LIMIT_SECONDS - 60,
        task_time_limit=HARD_LIMIT_SECONDS,
        # With threads, True ends the whole worker when the broker goes away.
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        worker_consumer="worker.celery:SoonBack",
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        worker_max_tasks_per_child=500,
        worker_max_memory_per_child=300_000,
        worker_soft_shutdown_timeout=20,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        task_default_queue="default",
        task_queues=[Queue(name) for name in QUEUES],
        task_routes={
            "okaeri.poll": {"queue": "poll"},
            "okaeri.poll_channel": {"queue": "poll"},
            "okaeri.backfill": {"queue": "poll"},
            "okaeri.solicit": {"queue": "poll"},
            "okaeri.returns": {"queue": "poll"},
            "okaeri.coupons": {"queue": "poll"},
            "okaeri.coupons_pool": {"queue": "poll"},
            "okaeri.advance": {"queue": "rank"},
            "okaeri.render": {"queue": "render"},
            "okaeri.dispatch": {"queue": "dispatch"},
        },
        beat_schedule=SCHEDULE,
        # No state file: the default shelve can be corrupted by a kill.
        beat_scheduler="celery.beat:Scheduler",
        beat_max_loop_interval=5,
        timezone=zone,
        enable_utc=True,
    )
    return app


app = make_app(os.environ.get("OKAERI_BROKER_URL", "redis://127.0.0.1:6379/0"))
