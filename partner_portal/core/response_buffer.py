"""What of an answer its reader has not taken yet: kept beside the socket, so that the thread can go on."""

import socket
from typing import Any

# An answer of more than this is a file that staff export: its thread waits with it.
MAX_WAITING = 4 * 1024 * 1024


class AnswerBuffer:
    """Stands where the server's code expects the socket. `waiting` is what is still to be sent."""

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        self._sock = sock
        self._seconds = seconds
        self.waiting = bytearray()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def sendall(self, data: bytes) -> None:
        """Send what the other side takes at once, and keep the rest. Raises OSError where the line is gone."""
        self.waiting += data
        self.push()
        if len(self.waiting) > MAX_WAITING:
            rest, self.waiting = bytes(self.waiting), bytearray()
            self._sock.settimeout(self._seconds)
            self._sock.sendall(rest)

    def push(self) -> bool:
        """Send more of what waits, without waiting for anybody. Returns whether all of it is sent."""
        while self.waiting:
            try:
                sent = self._sock.send(self.waiting[: 256 * 1024], socket.MSG_DONTWAIT)
            except BlockingIOError:
                return False
            del self.waiting[:sent]
        return True
