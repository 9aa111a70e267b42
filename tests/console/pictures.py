"""Takes the documentation's pictures from the demonstration, whose people are invented."""

from __future__ import annotations

import os
import queue
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.folders import ROOT

IMAGES = ROOT / "docs" / "images"
CHROMIUM = "/usr/bin/chromium"
DESK, PHONE = (1440, 900), (390, 844)
PICTURES: Sequence[tuple[str, str, tuple[int, int]]] = (
    ("today", "/", DESK),
    ("queue", "/queue", DESK),
    ("customers", "/customers?sort=visits", DESK),
    ("templates", "/templates", DESK),
    ("packing", "/packing", DESK),
    ("channels", "/channels", DESK),
    ("settings", "/settings", DESK),
    ("reports", "/reports", DESK),
    ("first-week", "/guide", DESK),
    ("today-phone", "/", PHONE),
    ("queue-phone", "/queue", PHONE),
)
_LINK = re.compile(r"review desk: (http://\S+)")
_START_SECONDS = 180.0


class NoDesk(RuntimeError):
    """The demonstration did not open its desk; the text is what it said last."""


@contextmanager
def demonstration(folder: Path) -> Iterator[str]:
    """The demonstration while the block runs; gives the one-time link to its desk."""
    command = [sys.executable, "-m", "worker.cli", "demo", "--data", str(folder)]
    process = subprocess.Popen(
        [*command, "--port", str(_free_port())], cwd=ROOT, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "TZ": "Asia/Tokyo"}, start_new_session=True,
    )  # fmt: skip
    try:
        yield _link(process)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def _link(process: subprocess.Popen[str]) -> str:
    """Wait for the link on standard error, which is read to its end so that nothing blocks."""
    said: queue.Queue[str] = queue.Queue()
    assert process.stderr is not None
    stream = process.stderr

    def listen() -> None:
        for line in stream:
            said.put(line)

    threading.Thread(target=listen, daemon=True).start()
    last = ""
    while True:
        try:
            last = said.get(timeout=_START_SECONDS)
        except queue.Empty as silent:
            raise NoDesk(last) from silent
        found = _LINK.search(last)
        if found:
            return found.group(1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def take(browser: Browser, link: str, images: Path) -> list[str]:
    """Take every picture; gives their names. A page that does not open is left out by name."""
    context = browser.new_context(locale="ja-JP", timezone_id="Asia/Tokyo")
    page = context.new_page()
    page.goto(link)
    taken = []
    for name, path, (width, height) in PICTURES:
        page.set_viewport_size({"width": width, "height": height})
        answer = page.goto(path if path.startswith("http") else _whole(link, path))
        if answer is None or not answer.ok:
            sys.stderr.write(f"left out: {path}\n")
            continue
        taken.append(_shoot(page, images / f"{name}.png"))
    page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
    page.goto(_whole(link, "/customers?sort=visits"))
    page.locator('main th[scope="row"] a').nth(1).click()
    taken.append(_shoot(page, images / "customer.png"))
    context.close()
    return taken


def _whole(link: str, path: str) -> str:
    scheme, _, rest = link.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}{path}"


def _shoot(page: Page, file: Path) -> str:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=str(file))
    return file.name


def _from_demonstration(folder: Path) -> list[str]:
    with demonstration(folder) as link, sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            return take(browser, link, IMAGES)
        finally:
            browser.close()


def main() -> None:
    """Write all pictures into ``docs/images``."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="okaeri-pictures-") as folder:
        taken = _from_demonstration(Path(folder) / "shop")
    sys.stdout.write(f"{', '.join(taken)}\n")


if __name__ == "__main__":
    main()
