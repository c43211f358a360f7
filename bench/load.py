"""A load on a web server that costs the measuring machine little: threads that write requests as bytes."""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

CONNECTIONS = 8


def requests_per_second(server: str, paths: Iterator[str], expected: int, seconds: float) -> float:
    """How many GETs a second are answered with the status `expected`; fails at any other answer."""
    address, lock = urlsplit(server), threading.Lock()
    started = time.monotonic()

    def run(_number: int) -> int:
        done = 0
        with socket.create_connection((address.hostname, address.port)) as line:
            while time.monotonic() < started + seconds:
                with lock:
                    path = next(paths)
                status = _get(line, address.netloc, path)
                if status != expected:
                    raise RuntimeError(f"{server} answered {status} instead of {expected}.")
                done += 1
        return done

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        answered = sum(pool.map(run, range(CONNECTIONS)))
    return answered / (time.monotonic() - started)


def _get(line: socket.socket, host: str, path: str) -> int:
    line.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        part = line.recv(65536)
        if not part:
            raise RuntimeError("The server closed the line.")
        answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    length = next(int(row[15:]) for row in head.lower().split(b"\r\n") if row.startswith(b"content-length:"))
    while len(body) < length:
        body += line.recv(65536)
    return int(head[9:12])
