"""A buffer for the part of an answer that the client has not read yet, so that the thread need not wait."""

import socket
from typing import Any

# Only files that staff export are larger than this; their threads wait for the reader.
MAX_WAITING = 4 * 1024 * 1024


class AnswerBuffer:
    """A wrapper of the socket for the server's code. `waiting` contains the bytes that are still to be sent."""

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        self._sock = sock
        self._seconds = seconds
        self.waiting = bytearray()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def sendall(self, data: bytes) -> None:
        """Send what the other side takes at once, and keep the rest. Raises OSError if the connection is lost.

        If the rest exceeds MAX_WAITING, it is sent before this returns.
        """
        self.waiting += data
        self.push()
        if len(self.waiting) > MAX_WAITING:
            rest, self.waiting = bytes(self.waiting), bytearray()
            self._sock.settimeout(self._seconds)
            self._sock.sendall(rest)

    def push(self) -> bool:
        """Send more of the buffer without blocking. Returns whether all of it is sent."""
        while self.waiting:
            try:
                sent = self._sock.send(self.waiting[: 256 * 1024], socket.MSG_DONTWAIT)
            except BlockingIOError:
                return False
            del self.waiting[:sent]
        return True
