"""A load on a web server that costs the measuring machine little: threads that write requests as bytes."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import quantiles
from typing import Any

HOST = "127.0.0.1"
CONNECTIONS = 8


@dataclass(frozen=True)
class Load:
    """The answers of a server in one round."""

    answered: int
    per_second: float
    p99_ms: float


def get(path: str, **headers: str) -> bytes:
    """Return a GET as the bytes that are sent."""
    return _head("GET", path, {"Host": HOST, **headers})


def post(path: str, body: Any, **headers: str) -> bytes:
    """Return a POST of `body` as JSON, as the bytes that are sent."""
    data = json.dumps(body).encode()
    fields = {"Host": HOST, "Content-Type": "application/json", "Content-Length": str(len(data)), **headers}
    return _head("POST", path, fields) + data


def _head(method: str, path: str, fields: dict[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode()


def put_on(port: int, requests: Iterator[bytes], expected: int, seconds: float) -> Load:
    """Send `requests` over a few connections for so many seconds, or to their end.

    Raises RuntimeError if a status is not `expected`.
    """
    lock, taken = threading.Lock(), []
    started = time.monotonic()

    def run(_number: int) -> None:
        with socket.create_connection((HOST, port)) as line:
            while (began := time.monotonic()) < started + seconds:
                with lock:
                    request = next(requests, None)
                if request is None:
                    return
                status = exchange(line, request)
                taken.append(time.monotonic() - began)
                if status != expected:
                    raise RuntimeError(f"{request.split()[1][:60]!r} is answered {status} instead of {expected}.")

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(run, range(CONNECTIONS)))
    passed = time.monotonic() - started
    return Load(len(taken), len(taken) / passed, quantiles(taken, n=100)[98] * 1000)


def exchange(line: socket.socket, request: bytes) -> int:
    """Send one request, read its whole answer, and return the status."""
    line.sendall(request)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += _part(line)
    head, _, body = answer.partition(b"\r\n\r\n")
    lengths = [int(row[15:]) for row in head.lower().split(b"\r\n") if row.startswith(b"content-length:")]
    if len(lengths) != 1:
        raise RuntimeError(f"An answer without its length: {answer[:300]!r}")
    [length] = lengths
    while len(body) < length:
        body += _part(line)
    return int(head[9:12])


def _part(line: socket.socket) -> bytes:
    part = line.recv(65536)
    if not part:
        raise RuntimeError("The server closed the line.")
    return part
