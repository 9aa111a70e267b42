"""The command `okaeri demo`: the whole path on sample orders, with the real worker and broker."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from worker.cli.opening import Data, now, open_runtime, to_json, words
from worker.cli.service import login_link
from worker.demo.live import Show, open_channels
from worker.demo.markets import Market, open_markets
from worker.demo.shop import open_shop, write_shop
from worker.demo.story import DemoStopped, Story, words_of
from worker.rules.states import Role
from worker.runtime import Runtime
from worker.supervisor import Supervisor, plan_children, require_port, stop_on_signals

_JOIN_SECONDS = 20.0
_HAPPENINGS = 24
"""Of a live demonstration that ends by itself."""


def demo(
    data: Data = None,
    once: Annotated[bool, typer.Option("--once", help="Print the result and exit.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
    port: Annotated[int, typer.Option(help="The console's; 0: OKAERI_PORT, or a free one.")] = 0,
    live: Annotated[
        bool, typer.Option("--live", help="With pretend marketplaces that are polled.")
    ] = False,
) -> None:
    """Show the whole path on sample orders. Mails are captured, never sent."""
    folder = data or Path(tempfile.mkdtemp(prefix="okaeri-demo-"))
    config = folder / "config"
    if (folder / "okaeri.db").exists():
        words.print(f"{folder} is in use already. Give --data an empty folder.", markup=False)
        raise typer.Exit(2)
    os.environ["OKAERI_PORT"] = str(port or os.environ.get("OKAERI_PORT") or _free_port())
    for name in ("OKAERI_DATABASE_URL", "OKAERI_BROKER_URL", "OKAERI_TRANSPORT"):
        os.environ.pop(name, None)  # the demonstration never touches servers of yours
    write_shop(config)
    markets = open_markets(now()) if live else []
    try:
        runtime = open_runtime(folder, config)
        with runtime.transaction() as session:
            open_shop(session, runtime.context(), folder, now())
        open_channels(runtime, markets, now())
        _run(runtime, markets, once=once, as_json=as_json)
    finally:
        for market in markets:
            market.stop()
        if data is None:
            shutil.rmtree(folder, ignore_errors=True)


def _run(runtime: Runtime, markets: Sequence[Market], *, once: bool, as_json: bool) -> None:
    require_port(runtime.settings.host, runtime.settings.port)
    children, broker_url = plan_children(runtime.settings)
    os.environ["OKAERI_BROKER_URL"] = broker_url
    supervisor = Supervisor(children)
    stop_on_signals(supervisor)
    teller = _Teller(runtime, supervisor, markets, once=once, as_json=as_json)
    thread = threading.Thread(target=teller.run, name="demo", daemon=True)
    words.print("サービスを起動しています / starting the service …", markup=False)
    thread.start()
    supervisor.run()
    thread.join(_JOIN_SECONDS)  # or it might still write into a folder that is being removed
    if teller.failure is not None:
        raise teller.failure
    if once and not teller.told:
        raise typer.Exit(1)


class _Teller:
    """Runs the story beside the supervisor and stops it when once is asked for."""

    def __init__(
        self,
        runtime: Runtime,
        supervisor: Supervisor,
        markets: Sequence[Market],
        *,
        once: bool,
        as_json: bool,
    ) -> None:
        self.runtime, self.supervisor, self.markets = runtime, supervisor, markets
        self.once, self.as_json = once, as_json
        self.failure: BaseException | None = None
        self.told = False

    def run(self) -> None:
        """Tell the story; a failure stops the service and is raised by the main thread."""
        try:
            self._tell()
        except DemoStopped:
            return
        except Exception as error:  # noqa: BLE001 - carried to the main thread, not swallowed
            self.failure = error
            self.supervisor.stopping.set()

    def _tell(self) -> None:
        # Imported late: this module is the only one of the command line that wakes tasks.
        from worker.celery import make_app

        app = make_app(os.environ["OKAERI_BROKER_URL"])

        def wake(step: str) -> None:
            app.send_task(f"okaeri.{step}", expires=30)

        if self.markets:
            self._show(wake)
            return
        found: dict[str, Any] = Story(self.runtime, wake, self.supervisor.stopping).tell()
        self._wait_for_console()
        found["console"] = login_link(self.runtime, "demo", Role.ADMIN)
        if self.as_json:
            typer.echo(to_json(found))
        else:
            words.print(words_of(found), markup=False)
            words.print(f"\n確認画面 / review desk: {found['console']}", markup=False)
            words.print("終わるには Ctrl-C / Ctrl-C stops everything", markup=False)
        self.told = True
        if self.once:
            self.supervisor.stopping.set()

    def _show(self, wake: Callable[[str], None]) -> None:
        """Pretend marketplaces: the desk first, so that one can watch there too."""
        self._wait_for_console()
        link = login_link(self.runtime, "demo", Role.ADMIN)
        words.print(f"確認画面 / review desk: {link}", markup=False)
        words.print("終わるには Ctrl-C / Ctrl-C stops everything", markup=False)
        show = Show(
            self.runtime, self.markets, wake, lambda text: words.print(text, markup=False),
            self.supervisor.stopping,
        )  # fmt: skip
        found = show.run(_HAPPENINGS if self.once else None)
        if self.as_json:
            typer.echo(to_json({**found, "console": link}))
        else:
            words.print(show.board(), markup=False)
        self.told = True
        self.supervisor.stopping.set()

    def _wait_for_console(self, seconds: float = 30.0) -> None:
        settings = self.runtime.settings
        url = f"http://{settings.host}:{settings.port}/healthz"
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(url, timeout=2):
                    return
            except (urllib.error.URLError, OSError):
                if self.supervisor.stopping.wait(0.25):
                    raise DemoStopped from None
        raise TimeoutError(f"the console does not answer at {url}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
