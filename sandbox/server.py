"""The web server: HTTP/1.1 with persistent connections, any number of threads, and connections that can be cut."""

from __future__ import annotations

import socket
import sys
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sandbox import manners
from sandbox.wire import HTML_TYPE, ConnectionDroppedError, Request, Response

Answerer = Callable[[Request], Response]
MAX_BODY = 8 * 1024 * 1024
IDLE_SECONDS = 75


class Server(ThreadingHTTPServer):
    """A server that passes every request to one function; `stop` closes the connections that are still open."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024

    def __init__(self, host: str, port: int, answer: Answerer) -> None:
        self.answer = answer
        self._lines: set[socket.socket] = set()
        self._lines_lock = Lock()
        super().__init__((host, port), Handler)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        with self._lines_lock:
            self._lines.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lines_lock:
                self._lines.discard(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print the traceback of an error, unless the client only went away."""
        del request
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError | TimeoutError):
            traceback.print_exc()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        with self._lines_lock:
            lines = list(self._lines)
        for line in lines:
            cut(line)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS
    wbufsize = -1
    server: Server

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its base names it so
        """Log nothing: the sandbox shows its log on a page."""

    def version_string(self) -> str:
        return "Altegio-Sandbox"

    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > MAX_BODY or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self._send(Response(413, b"The body is too large or has no length.", HTML_TYPE))
            return
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=parts.path,
            query=parse_qs(parts.query, keep_blank_values=True),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(int(length)),
        )
        try:
            self._send(self.server.answer(request))
        except ConnectionDroppedError:
            self.close_connection = True
            cut(self.connection)

    def _send(self, response: Response) -> None:
        if response.manner:
            if not manners.send(response, self._write_at_once):
                self.close_connection = True
            return
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)
        self.wfile.flush()

    def _write_at_once(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()


def cut(line: socket.socket) -> None:
    """Close the connection now, whatever the other side is waiting for."""
    try:
        line.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
