"""Runs the peer, django-post-office, in an environment of its own; prints two rates as JSON.

Called by ``bench.peer`` with that environment's Python: HOST PORT COUNT FOLDER.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from typing import Any

TEXT = "{} 様\n\nこのたびはご注文ありがとうございます。\nまたのお越しをお待ちしております。\n"


def _configure(host: str, port: int, folder: str) -> None:
    conf: Any = importlib.import_module("django.conf")
    conf.settings.configure(
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": f"{folder}/peer.db",
                "OPTIONS": {"timeout": 30, "init_command": "PRAGMA journal_mode=WAL"},
            }
        },
        INSTALLED_APPS=["django.contrib.contenttypes", "post_office"],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
        EMAIL_BACKEND="post_office.EmailBackend",
        EMAIL_HOST=host,
        EMAIL_PORT=port,
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        # Its lock file must not meet that of another run.
        POST_OFFICE={"LOCKFILE": f"{folder}/peer", "BATCH_SIZE": 100_000, "LOG_LEVEL": 0},
    )
    importlib.import_module("django").setup()  # type: ignore[attr-defined, unused-ignore]


def main(host: str, port: int, count: int, folder: str) -> None:
    """Queue ``count`` mails, then send them all."""
    _configure(host, port, folder)
    management: Any = importlib.import_module("django.core.management")
    management.call_command("migrate", verbosity=0)
    mail: Any = importlib.import_module("post_office.mail")
    start = time.perf_counter()
    for n in range(count):
        mail.send(
            f"customer{n}@okaeri.test", "shop@okaeri.test", subject="ご注文", message=TEXT.format(n)
        )
    queued = time.perf_counter()
    mail.send_queued(processes=1, log_level=0)
    sent = time.perf_counter()
    json.dump({"queue": count / (queued - start), "send": count / (sent - queued)}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
