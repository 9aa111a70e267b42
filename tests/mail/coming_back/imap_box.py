"""A small IMAP server on loopback with one mailbox, as far as the intake speaks to it."""

from __future__ import annotations

import re
import socketserver
import threading
from dataclasses import dataclass, field


@dataclass
class Box:
    """Folders of (uid, mail); ``can_move`` offers the MOVE extension."""

    password: str = "secret"
    can_move: bool = True
    folders: dict[str, dict[int, bytes]] = field(default_factory=lambda: {"INBOX": {}})
    deleted: set[int] = field(default_factory=set)
    commands: list[str] = field(default_factory=list)


class _Session(socketserver.StreamRequestHandler):
    server: ImapServer

    def handle(self) -> None:
        self.say("* OK ready")
        while line := self.rfile.readline().decode().strip():
            tag, _, rest = line.partition(" ")
            self.server.box.commands.append(re.sub(r"(LOGIN \S+).*", r"\1", rest))
            self.say(f"{tag} {self.answer(rest)}")
            if rest == "LOGOUT":
                return

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def answer(self, rest: str) -> str:
        box, words = self.server.box, rest.split()
        if words[0] == "CAPABILITY":
            self.say("* CAPABILITY IMAP4rev1 UIDPLUS" + (" MOVE" if box.can_move else ""))
        elif words[0] == "LOGIN" and words[2].strip('"') != box.password:
            return "NO wrong password for hanako@mail.example"
        elif words[0] == "CREATE":
            if words[1].strip('"') in box.folders:
                return "NO there already"
            box.folders[words[1].strip('"')] = {}
        elif words[0] == "SELECT":
            self.say(f"* {len(box.folders['INBOX'])} EXISTS")
        elif words[0] == "LOGOUT":
            self.say("* BYE")
        elif words[0] == "UID":
            self.by_uid(words[1:])
        return "OK done"

    def by_uid(self, words: list[str]) -> None:
        box, inbox = self.server.box, self.server.box.folders["INBOX"]
        if words[0] == "SEARCH":
            self.say("* SEARCH " + " ".join(str(uid) for uid in sorted(inbox)))
            return
        uid = int(words[1])
        if words[0] == "FETCH":
            limit = int(re.search(r"<0\.(\d+)>", words[2])[1])  # type: ignore[index]
            raw = inbox[uid][:limit]
            self.say(f"* 1 FETCH (UID {uid} BODY[]<0> {{{len(raw)}}}")
            self.wfile.write(raw + b")\r\n")
        elif words[0] in ("MOVE", "COPY"):
            box.folders[words[2].strip('"')][uid] = inbox[uid]
            if words[0] == "MOVE":
                del inbox[uid]
        elif words[0] == "STORE":
            box.deleted.add(uid)
        elif words[0] == "EXPUNGE" and uid in box.deleted:
            del inbox[uid]


class ImapServer(socketserver.ThreadingTCPServer):
    """The server; end it with ``stop``."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, box: Box) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.box = box
        self.port = int(self.server_address[1])
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Listen no more."""
        self.shutdown()
        self.server_close()
