"""Writes mails to files instead of sending them: rehearsal, demo, restored databases."""

from __future__ import annotations

import errno
import os
import re
import secrets
from pathlib import Path

from worker.mail.transport import Accepted, OnAccepted, Permanent, Prepared, Temporary

_PLAIN_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}")
_LATER = re.compile(r"\.([2-9]|[1-9]\d+)@")
"""The generation in a Message-ID, from the second on."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS})
"""What file systems without hard links answer."""


class CaptureTransport:
    """One ``<message id>.eml`` per accepted mail; whole or not there at all.

    The id is the ledger's own, as exports tell it; a second generation is ``<id>.2.eml``.
    """

    name = "capture"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, mail: Prepared, on_accepted: OnAccepted | None = None) -> Accepted:
        """Write the mail durably.

        The same mail again is accepted again. Raises Permanent where another mail already
        bears the name, Temporary where the disk does not take it.
        """
        target = self.path_of(mail)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            written = self._write(target, mail.data)
        except OSError as error:
            full = "the disk is full" if error.errno in _FULL else str(error.strerror)
            raise Temporary(f"the outbox cannot be written: {full}", needs_person=True) from error
        if not written and target.read_bytes() != mail.data:
            raise Permanent("another mail of this message is already in the outbox")
        accepted = Accepted(f"captured as {target.name}")
        if on_accepted is not None:
            on_accepted(accepted)
        return accepted

    def close(self) -> None:
        """Nothing is held open."""

    def path_of(self, mail: Prepared) -> Path:
        """Where a mail lies. Raises Permanent for an id that is no file name."""
        if _PLAIN_REF.fullmatch(mail.message_ref) is None:
            raise Permanent("the message's id cannot be a file name")
        later = _LATER.search(mail.message_id)
        suffix = f".{later.group(1)}" if later else ""
        return self._folder / f"{mail.message_ref}{suffix}.eml"

    def _write(self, target: Path, data: bytes) -> bool:
        """Write whole or not at all; False where the name is taken."""
        draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        try:
            with draft.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            self._name(draft, target)
        except FileExistsError:
            return False
        finally:
            draft.unlink(missing_ok=True)
        self._sync_folder()
        return True

    @staticmethod
    def _name(draft: Path, target: Path) -> None:
        """Give the draft its name. Raises FileExistsError where it is taken."""
        try:
            # A link, unlike a rename, never replaces what another worker wrote meanwhile.
            os.link(draft, target)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            if target.exists():
                raise FileExistsError(errno.EEXIST, "taken", str(target)) from error
            draft.rename(target)

    def _sync_folder(self) -> None:
        handle = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
