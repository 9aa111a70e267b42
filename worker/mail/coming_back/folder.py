"""A maildir of returned mail: read, and put into ``.Done`` or ``.Unknown`` afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from worker.mail.coming_back.mailbox import Delivered
from worker.mail.coming_back.parts import LONGEST

_FRESH = ("new", "cur")
_MAILDIR = ("cur", "new", "tmp")


class Maildir:
    """A folder with ``new`` and ``cur``, as mail servers deliver into."""

    source = "folder"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def waiting(self, limit: int) -> Iterator[Delivered]:
        """Mails in it, the oldest name first; of a huge one only its beginning is read."""
        paths = [path for part in _FRESH for path in self._in(part)]
        for path in sorted(paths, key=lambda each: each.name)[:limit]:
            with path.open("rb") as file:
                yield Delivered(str(path), file.read(LONGEST))

    def settle(self, mail: Delivered, *, known: bool) -> None:
        """Move a mail that was taken in; whoever reads the folder still finds it there."""
        target = self._folder / (".Done" if known else ".Unknown")
        for part in _MAILDIR:
            (target / part).mkdir(parents=True, exist_ok=True)
        path = Path(mail.key)
        path.rename(target / "cur" / (path.name.partition(":")[0] + ":2,S"))

    def close(self) -> None:
        """Nothing is held open."""

    def _in(self, part: str) -> list[Path]:
        folder = self._folder / part
        if not folder.is_dir():
            return []
        return [path for path in folder.iterdir() if path.is_file() and path.name[0] != "."]
