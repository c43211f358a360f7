"""Mail servers that misbehave, for the tests of e-mails."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Talk = Callable[[socket.socket], None]


def silent(_line: socket.socket) -> None:
    """Accept the connection and say nothing."""


def trickling(line: socket.socket) -> None:
    """Send a byte now and then, and never a whole answer."""
    try:
        while True:
            line.sendall(b"2")
            time.sleep(0.05)
    except OSError:
        pass


def refusing(bad: str) -> Talk:
    """Accept every e-mail except those to `bad`."""
    return _taking_all_but(bad, "550 no such user")


def hanging_up_on(bad: str) -> Talk:
    """Accept every e-mail, and hang up at the mention of `bad`."""
    return _taking_all_but(bad, "")


def _taking_all_but(bad: str, answer: str) -> Talk:

    def talk(line: socket.socket) -> None:
        with line.makefile("rwb") as stream:

            def say(text: str) -> None:
                stream.write(text.encode() + b"\r\n")
                stream.flush()

            say("220 mail")
            while request := stream.readline().strip().decode():
                verb = request.upper()[:4]
                if verb == "RCPT" and bad in request:
                    if not answer:
                        line.shutdown(socket.SHUT_RDWR)
                        return
                    say(answer)
                elif verb == "DATA":
                    say("354 go on")
                    while stream.readline().strip() != b".":
                        pass
                    say("250 taken")
                elif verb == "QUIT":
                    say("221 bye")
                    return
                else:
                    say("250 ok")

    return talk


@contextmanager
def mail_server(talk: Talk) -> Iterator[int]:
    """Yield the port of a server that talks to everybody like this; its connections stay open until the end."""
    lines: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listener:

        def serve() -> None:
            while True:
                try:
                    line, _address = listener.accept()
                except OSError:
                    return
                lines.append(line)
                threading.Thread(target=talk, args=(line,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for line in lines:
                line.close()
