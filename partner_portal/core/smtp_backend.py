"""Django's SMTP backend with an end: a mail server that answers slowly for ever is hung up on.

`EMAIL_TIMEOUT` bounds the wait for each piece of an answer; this bounds the whole conversation.
"""

import smtplib
import socket
import threading
from contextlib import suppress
from typing import Any

from django.core.mail.backends.smtp import EmailBackend as StockBackend

MAX_CONVERSATION = 60.0


class _WithEnd(smtplib.SMTP):
    """A conversation that another thread ends when its time is over."""

    _end: threading.Timer | None = None

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        made: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        self._end = threading.Timer(MAX_CONVERSATION, self._hang_up)
        self._end.daemon = True
        self._end.start()
        return made

    def _hang_up(self) -> None:
        with suppress(OSError, AttributeError):
            # The present socket: STARTTLS replaces the first one.
            self.sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]

    def close(self) -> None:
        if self._end is not None:
            self._end.cancel()
        super().close()


class _WithEndOverTLS(_WithEnd, smtplib.SMTP_SSL):
    """The same from its first byte encrypted."""


class EmailBackend(StockBackend):
    """`EMAIL_BACKEND` wherever `EMAIL_URL` names an SMTP server."""

    @property
    def connection_class(self) -> Any:
        return _WithEndOverTLS if self.use_ssl else _WithEnd
