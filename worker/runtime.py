"""One process's hold on the installation: engines and documents, opened when first needed."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.releases import open_context
from worker.settings import Settings, load_settings
from worker.store.engine import open_engine, reading, writing
from worker.store.leases import evict, holding, living_owner


def clock() -> datetime:
    """The present instant; the only place where the service reads it."""
    return datetime.now(UTC)


class Runtime:
    """Engines and documents of one process. After a fork, ``dispose`` and open anew."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @property
    def owner(self) -> str:
        """Who holds leases: this machine, process and thread."""
        return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"

    @contextmanager
    def hold(self, name: str, seconds: float) -> Iterator[int | None]:
        """Hold a lease around a block; None where somebody living holds it.

        The lease of a process of this machine that was killed is not waited for.
        """
        with self.transaction() as session:
            owner = living_owner(session, name)
            if owner is not None and _is_dead(owner):
                evict(session, name, owner)
        with holding(self.engine, name, self.owner, seconds) as token:
            yield token

    @cached_property
    def engine(self) -> Engine:
        """The ordinary engine."""
        return open_engine(self.settings.store_url)

    @cached_property
    def durable(self) -> Engine:
        """The engine of dispatch: on SQLite each commit reaches the disk."""
        return open_engine(self.settings.store_url, durable=True)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One writing transaction."""
        with writing(self.engine) as session:
            yield session

    @contextmanager
    def look(self) -> Iterator[Session]:
        """One reading session."""
        with reading(self.engine) as session:
            yield session

    def context(self) -> Context:
        """The documents, texts and key in force now. Raises DocumentsWrong."""
        with self.look() as session:
            return open_context(self.settings, session)

    def dispose(self, *, forked: bool = False) -> None:
        """Let go of connections; ``forked``: they belong to the parent and are only forgotten."""
        for name in ("engine", "durable"):
            engine = self.__dict__.pop(name, None)
            if engine is not None:
                engine.dispose(close=not forked)


def _is_dead(owner: str) -> bool:
    host, _, rest = owner.partition(":")
    pid = rest.partition(":")[0]
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False  # it lives and is somebody else's
    return False


_present: list[Runtime] = []


def present() -> Runtime:
    """This process's runtime, from the environment, opened when first asked for."""
    if not _present:
        _present.append(Runtime(load_settings()))
    return _present[0]


def forget(*, forked: bool = False) -> None:
    """Drop this process's runtime (after a fork, at the end of a worker)."""
    while _present:
        _present.pop().dispose(forked=forked)
