"""Django's SMTP backend with a deadline, so that a slow mail server cannot block a worker for ever.

`EMAIL_TIMEOUT` limits the wait for each piece of an answer; this limits the whole conversation.
"""

import smtplib
import socket
import threading
from contextlib import suppress
from typing import Any

from django.core.mail.backends.smtp import EmailBackend as StockBackend

MAX_CONVERSATION = 60.0


class _WithEnd(smtplib.SMTP):
    """An SMTP conversation that another thread ends after MAX_CONVERSATION seconds."""

    _end: threading.Timer | None = None

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        made: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        self._end = threading.Timer(MAX_CONVERSATION, self._hang_up)
        self._end.daemon = True
        self._end.start()
        return made

    def _hang_up(self) -> None:
        with suppress(OSError, AttributeError):
            # Use the current socket, because STARTTLS replaces the first one.
            self.sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]

    def close(self) -> None:
        if self._end is not None:
            self._end.cancel()
        super().close()


class _WithEndOverTLS(_WithEnd, smtplib.SMTP_SSL):
    """The same with TLS from the first byte."""


class EmailBackend(StockBackend):
    """The e-mail backend if `EMAIL_URL` names an SMTP server (`EMAIL_BACKEND`)."""

    @property
    def connection_class(self) -> Any:
        return _WithEndOverTLS if self.use_ssl else _WithEnd
