"""Bad manners: correct answers, sent as no server should send them. Each ends if the caller hangs up."""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus

from sandbox.wire import Response

Write = Callable[[bytes], None]
EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LEFTOVER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"success":true}'
BETWEEN_CONTINUES = 0.05
ONE_BYTE_A = 1.0
PIECE = 64 * 1024


def head_of(response: Response) -> bytes:
    """Return the status line and the headers, as they would be sent."""
    try:
        phrase = HTTPStatus(response.status).phrase
    except ValueError:
        phrase = ""
    headers = {"Content-Type": response.content_type, "Content-Length": str(len(response.body)), **response.headers}
    lines = [f"HTTP/1.1 {response.status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def send(response: Response, write: Write) -> bool:
    """Send the answer in its manner. Return whether the connection can be used again, as far as the caller knows."""
    head = head_of(response)
    match response.manner:
        case "trickle_head":
            _trickle(head, response.seconds, write)
            write(response.body)
        case "trickle_body":
            write(head)
            _trickle(response.body, response.seconds, write)
        case "early_hints":
            write(EARLY_HINTS + head + response.body)
            return True
        case "endless_100":
            while True:
                write(CONTINUE)
                time.sleep(BETWEEN_CONTINUES)
        case "leftover":
            write(head + response.body + LEFTOVER)
            return True
        case "late_close":
            write(head + response.body)
            time.sleep(response.seconds or ONE_BYTE_A)
        case _:
            raise ValueError(f"there is no manner {response.manner}")
    return False


def _trickle(data: bytes, seconds: float, write: Write) -> None:
    for byte in data:
        write(bytes([byte]))
        time.sleep(seconds or ONE_BYTE_A)
