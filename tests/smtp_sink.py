"""An SMTP server in a process of its own that takes mail, keeps it, and misbehaves as told.

The script, a JSON file read anew at each connection, holds ``rules``: the first that fits a phase
(connect, ehlo, starttls, auth, mail, rcpt, data, dot, rset, quit) and has ``times`` left acts.
``reply`` answers in its words, ``drop`` closes without an answer, ``delay`` waits that many seconds
before either, ``match`` is a part of the command. At ``dot`` a mail counts as accepted unless the
rule replies 4xx or 5xx or says ``lose``; it is written and synced before any answer, so a mail
with ``drop`` or ``delay`` was taken although the client may never hear of it.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import json
import os
import ssl
import time
from collections import Counter
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

_LINE_LIMIT = 2**20
_DEFAULT_EXTENSIONS = ["8BITMIME", "SMTPUTF8", "SIZE 20000000", "ENHANCEDSTATUSCODES"]


class Drop(Exception):
    """The script says: close this connection now."""


class Sink:
    """What all connections share: the script, the log, the mails."""

    def __init__(self, folder: Path, *, sync: bool, tls: ssl.SSLContext | None) -> None:
        self.folder = folder
        self.tls = tls
        self._sync = sync
        self._used: Counter[str] = Counter()
        self._log = (folder / "log.jsonl").open("ab", buffering=0)
        self.connections = 0
        self.mails = len(list(folder.glob("*.eml")))

    def script(self) -> dict[str, Any]:
        """The script as it stands now; none is a well-behaved server."""
        try:
            script: dict[str, Any] = json.loads((self.folder / "script.json").read_text())
        except FileNotFoundError:
            return {}
        return script

    def take(self, script: dict[str, Any], phase: str, command: str) -> dict[str, Any]:
        """The rule that acts now, counted as used; an empty one lets things go their way."""
        for number, rule in enumerate(script.get("rules", ())):
            key = f"{script.get('generation', 0)}.{number}"
            if rule["phase"] != phase or rule.get("match", "") not in command:
                continue
            if "times" in rule and self._used[key] >= rule["times"]:
                continue
            self._used[key] += 1
            return dict(rule)
        return {}

    def note(self, event: str, **details: Any) -> None:
        """Write one line of the log; synced, so that a kill -9 of anybody loses none."""
        line = json.dumps({"event": event, "at": time.time(), **details}, ensure_ascii=False)
        self._log.write(line.encode() + b"\n")
        if self._sync:
            os.fsync(self._log.fileno())

    def keep(self, content: bytes) -> str:
        """Store a mail as it came; gives the file's name."""
        self.mails += 1
        name = f"{self.mails:06}.eml"
        (self.folder / name).write_bytes(content)
        return name


class Conversation:
    """One connection, from greeting to goodbye."""

    def __init__(
        self, sink: Sink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._sink, self._reader, self._writer = sink, reader, writer
        self._script = sink.script()
        sink.connections += 1
        self._number = sink.connections
        self._encrypted = writer.get_extra_info("ssl_object") is not None
        self._user: str | None = None
        self._mail = ""
        self._recipients: list[str] = []

    async def hold(self) -> None:
        """Talk until the client leaves or the script drops it."""
        self._sink.note("connected", connection=self._number)
        try:
            if await self._answer("connect", "", "220 sink.test ESMTP"):
                while line := await self._reader.readline():
                    await self._obey(line.decode("utf-8", "surrogateescape").rstrip("\r\n"))
        except (Drop, ConnectionError, asyncio.IncompleteReadError):
            self._sink.note("dropped", connection=self._number)
        finally:
            self._writer.close()

    async def _obey(self, line: str) -> None:
        verb = line.split(" ")[0].upper()
        match verb:
            case "EHLO" | "HELO":
                await self._hello(line)
            case "STARTTLS" if self._sink.tls and not self._encrypted:
                await self._start_tls(line)
            case "AUTH":
                await self._authenticate(line)
            case "MAIL":
                self._recipients = []
                self._mail = line
                await self._answer("mail", line, "250 2.1.0 ok")
            case "RCPT":
                if await self._answer("rcpt", line, "250 2.1.5 ok"):
                    self._recipients.append(_address(line))
            case "DATA":
                if await self._answer("data", line, "354 go ahead"):
                    await self._receive()
            case "RSET":
                self._mail, self._recipients = "", []
                await self._answer("rset", line, "250 2.0.0 ok")
            case "QUIT":
                await self._answer("quit", line, "221 2.0.0 bye")
                raise Drop
            case "NOOP":
                await self._say("250 2.0.0 ok")
            case _:
                await self._say("502 5.5.1 not known here")

    async def _hello(self, line: str) -> None:
        offered = list(self._script.get("extensions", _DEFAULT_EXTENSIONS))
        if self._sink.tls and not self._encrypted:
            offered.append("STARTTLS")
        if self._script.get("users"):
            offered.append("AUTH PLAIN LOGIN")
        lines = ["sink.test", *offered]
        reply = "\r\n".join(f"250-{x}" for x in lines[:-1]) + f"\r\n250 {lines[-1]}"
        await self._answer("ehlo", line, reply)

    async def _start_tls(self, line: str) -> None:
        if await self._answer("starttls", line, "220 2.0.0 ready"):
            assert self._sink.tls is not None
            await self._writer.start_tls(self._sink.tls)
            self._encrypted = True

    async def _authenticate(self, line: str) -> None:
        words = line.split(" ")
        if words[1].upper() == "PLAIN":
            token = words[2] if len(words) > 2 else await self._ask("")
            _, user, secret = _decode(token).split("\0")
        else:
            user = _decode(words[2] if len(words) > 2 else await self._ask("Username:"))
            secret = _decode(await self._ask("Password:"))
        known = self._script.get("users", {}).get(user) == secret
        fallback = "235 2.7.0 ok" if known else "535 5.7.8 wrong user or password"
        if await self._answer("auth", words[1], fallback):
            self._user = user

    async def _ask(self, prompt: str) -> str:
        await self._say(f"334 {base64.b64encode(prompt.encode()).decode()}")
        return (await self._reader.readline()).decode().strip()

    async def _receive(self) -> None:
        content = await self._content()
        rule = self._sink.take(self._script, "dot", "")
        refused = str(rule.get("reply", "250"))[0] in "45"
        details = self._details(content)
        if rule.get("lose"):
            raise Drop
        if refused:
            self._sink.note("refused", **details)
        else:
            self._sink.note("accepted", file=self._sink.keep(content), **details)
        self._mail, self._recipients = "", []
        await self._act(rule, "250 2.0.0 taken")

    async def _content(self) -> bytes:
        lines = []
        while (line := await self._reader.readline()) != b".\r\n":
            if not line:
                raise Drop
            lines.append(line.removeprefix(b".") if line.startswith(b".") else line)
        return b"".join(lines)

    def _details(self, content: bytes) -> dict[str, Any]:
        headers = BytesHeaderParser().parsebytes(content)
        return {
            "connection": self._number,
            "message_id": str(headers.get("Message-ID", "")).strip(),
            "mail": self._mail,
            "sender": _address(self._mail),
            "recipients": self._recipients,
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "user": self._user,
            "encrypted": self._encrypted,
        }

    async def _answer(self, phase: str, command: str, fallback: str) -> bool:
        """Answer as the script says, else with ``fallback``; tells whether it was a yes."""
        return await self._act(self._sink.take(self._script, phase, command), fallback)

    async def _act(self, rule: dict[str, Any], fallback: str) -> bool:
        await asyncio.sleep(rule.get("delay", 0))
        if rule.get("drop"):
            raise Drop
        reply = rule.get("reply", fallback)
        await self._say(reply)
        if reply.startswith("421"):
            raise Drop
        return reply[0] in "23"

    async def _say(self, text: str) -> None:
        self._writer.write(f"{text}\r\n".encode())
        await self._writer.drain()


def _address(command: str) -> str:
    return command.partition("<")[2].partition(">")[0]


def _decode(token: str) -> str:
    return base64.b64decode(token).decode()


def _context(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


async def serve(folder: Path, port: int, *, sync: bool, tls: str) -> None:
    """Serve on 127.0.0.1; the port stands in the file ``port`` as soon as it listens."""
    context = _context(folder / "certificate.pem") if tls != "none" else None
    sink = Sink(folder, sync=sync, tls=context if tls == "starttls" else None)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Conversation(sink, reader, writer).hold()

    server = await asyncio.start_server(
        talk, "127.0.0.1", port, limit=_LINE_LIMIT, ssl=context if tls == "implicit" else None
    )
    number = server.sockets[0].getsockname()[1]
    (folder / "port.new").write_text(str(number))
    (folder / "port.new").rename(folder / "port")
    await server.serve_forever()


def main() -> None:
    """Read the command line and serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where script, log and mails stand")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls", choices=("none", "starttls", "implicit"), default="none")
    parser.add_argument("--no-sync", action="store_true", help="do not sync the log (benchmarks)")
    options = parser.parse_args()
    asyncio.run(serve(options.folder, options.port, sync=not options.no_sync, tls=options.tls))


if __name__ == "__main__":
    main()
