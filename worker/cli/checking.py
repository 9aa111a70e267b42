"""Tries channels with a harmless call each, and tells in words what came of it."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.contract import ConnectorError, NeedsPerson, TryLater
from worker.cli.opening import Findings, tell
from worker.live import channel_config, open_channel_connector
from worker.pipeline.pull import channel_named
from worker.runtime import Runtime

_LATER = "いまは確かめられません。時間をおいてください / not now, try again later"


def tell_checks(runtime: Runtime, names: Sequence[str], *, as_json: bool) -> None:
    """Print what each channel's check says. Raises Findings where one does not work."""
    rows = [{"channel": name, **checked(runtime, name)} for name in names]
    lines = [f"{row['channel']}: {row['told']}" for row in rows]
    tell(rows, as_json=as_json, text="\n".join(lines) or "まだありません / none yet")
    if not all(row["works"] for row in rows):
        raise Findings


def checked(runtime: Runtime, name: str) -> dict[str, object]:
    """``works`` and ``told`` of one channel."""
    try:
        told = open_channel_connector(runtime, channel_config(runtime, name)).check()
        told += _hint(runtime, name)
    except NeedsPerson as problem:
        return {"works": False, "told": f"{problem.problem} {problem.remedy}"}
    except TryLater as problem:
        return {"works": False, "told": f"{_LATER}: {problem}"}
    except ConnectorError as problem:
        return {"works": False, "told": str(problem)}
    return {"works": True, "told": told}


def _hint(runtime: Runtime, name: str) -> str:
    with runtime.look() as session:
        if not channel_named(session, name).paused:
            return ""
    return f"\n  取込は止まっています / it is paused: okaeri channels resume {name}"
