"""A server on a bare socket that sends, byte by byte, what its script says, however wrong that is."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Talk:
    """A request that the server has read, and the way to answer it."""

    def __init__(self, line: socket.socket, head: bytes, ended: threading.Event) -> None:
        self._line, self._ended = line, ended
        self.head = head

    def say(self, *parts: bytes, pause: float = 0.0) -> None:
        """Send the parts one after the other, with a pause after each."""
        for part in parts:
            self._line.sendall(part)
            if pause:
                self._ended.wait(pause)

    def trickle(self, data: bytes, pause: float = 0.05) -> None:
        """Send one byte after the other, until the caller hangs up."""
        self.say(*(bytes([byte]) for byte in data), pause=pause)

    def repeat(self, part: bytes, pause: float = 0.001) -> None:
        """Send the same again and again until the caller hangs up."""
        while not self._ended.is_set():
            self.say(part, pause=pause)

    def silence(self, seconds: float = 30.0) -> None:
        """Send nothing, but stay connected."""
        self._ended.wait(seconds)

    def hang_up(self) -> None:
        """End the connection."""
        self._line.shutdown(socket.SHUT_RDWR)


Script = Callable[[Talk], None]


class UnkindServer:
    """A server that plays one script after another and repeats the last one. Each connection serves until it is
    closed.
    """

    def __init__(self) -> None:
        self.scripts: list[Script] = []
        self.requests: list[bytes] = []
        self.connections = 0
        # Released for each connection that has ended.
        self.left = threading.Semaphore(0)
        self.ended = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def will(self, *scripts: Script) -> None:
        """Set the scripts to play next."""
        self.scripts = list(scripts)

    def close(self) -> None:
        self.ended.set()
        self._listening.close()

    def _accept(self) -> None:
        while not self.ended.is_set():
            try:
                line, _address = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        with line:
            try:
                while head := _read_request(line):
                    self.requests.append(head)
                    script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
                    script(Talk(line, head, self.ended))
            except OSError:
                return
            finally:
                self.left.release()


def _read_request(line: socket.socket) -> bytes:
    read = b""
    while b"\r\n\r\n" not in read:
        if not (part := line.recv(65536)):
            return b""
        read += part
    head, _, body = read.partition(b"\r\n\r\n")
    length = next((int(row[15:]) for row in head.split(b"\r\n") if row.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += line.recv(65536)
    return head


def say(*parts: bytes, pause: float = 0.0) -> Script:
    """Return a script that sends these parts and waits for the next request."""
    return lambda talk: talk.say(*parts, pause=pause)


@contextmanager
def unkind_server() -> Iterator[UnkindServer]:
    """Yield a server that is closed afterwards."""
    server = UnkindServer()
    try:
        yield server
    finally:
        server.close()


# A busy machine gets this much more: a real failure would not end at all, or only with the server's patience.
SLACK_SECONDS = 10.0


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Check that the body ends by itself after about `seconds`."""
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    assert took < seconds + SLACK_SECONDS, f"it took {took:.1f} s"
