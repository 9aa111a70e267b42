"""The quickest mail server we can write: it answers, keeps nothing, and does not slow a sender."""

from __future__ import annotations

import socketserver
import sys

_ANSWERS = {
    b"EHLO": b"250-sink.test\r\n250-8BITMIME\r\n250 SIZE 20000000\r\n",
    b"DATA": b"354 go ahead\r\n",
    b"QUIT": b"221 2.0.0 bye\r\n",
}
_OK = b"250 2.0.0 ok\r\n"


class _Conversation(socketserver.StreamRequestHandler):
    """Reads a line, answers a line; a mail's content is read up to its dot and forgotten."""

    disable_nagle_algorithm = True

    def handle(self) -> None:
        read, say = self.rfile.readline, self.connection.sendall
        say(b"220 sink.test ESMTP\r\n")
        while line := read():
            verb = line[:4].upper()
            say(_ANSWERS.get(verb, _OK))
            if verb == b"DATA":
                while read() not in (b".\r\n", b""):
                    pass
                say(_OK)
            elif verb == b"QUIT":
                return


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64


def main() -> None:
    """Serve on a free port of 127.0.0.1 and say which on stdout, until killed."""
    with _Server(("127.0.0.1", 0), _Conversation) as server:
        sys.stdout.write(f"{server.server_address[1]}\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main()
