"""The embedded broker: messages are files in a folder that appear only when they are complete.

Kombu's own transport creates a message's file before it writes the content. A worker that looks in between reads an
empty file, and an empty message stops it for good; so does one left by a killed process or a full disk.
"""

import uuid
from pathlib import Path
from time import time_ns
from typing import Any

import structlog
from kombu.transport import filesystem
from kombu.utils.json import dumps

log = structlog.get_logger(__name__)


class Channel(filesystem.Channel):
    """A channel that writes files atomically and drops files that are not messages.

    Some signatures differ from one of the base classes, because these do not agree with each other.
    """

    def _put(self, queue: str, payload: Any, **_: Any) -> None:  # type: ignore[override]
        _write_whole(Path(self.data_folder_out) / f"{time_ns():020}_{uuid.uuid4()}.{queue}.msg", payload)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """Return the next message. Raises `queue.Empty` if there is none."""
        while True:
            try:
                return super()._get(queue)
            except ValueError:
                # Kombu has removed the file before reading it. The sweep finds the work that the message announced.
                log.warning("broken_message_dropped", queue=queue)

    def get_table(self, exchange: str) -> list[filesystem.exchange_queue_t]:  # type: ignore[override]
        """Return the queues bound to an exchange; none if its file is broken, which `_queue_bind` then rewrites."""
        try:
            return super().get_table(exchange)
        except ValueError:
            return []

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str | None, queue: str) -> None:
        table = self.get_table(exchange)
        bound = filesystem.exchange_queue_t(routing_key, pattern or "", queue)
        if bound not in table:
            # Two processes at once write the same content, because there is only one queue.
            _write_whole(self.control_folder / f"{exchange}.exchange", [bound, *table])


class Transport(filesystem.Transport):
    """The transport for `filesystem://` (`CELERY_BROKER_TRANSPORT`)."""

    Channel = Channel


def _write_whole(file: Path, content: Any) -> None:
    # While it is written the file has another ending, so that nobody takes it for a message.
    unfinished = file.with_name(f"{file.name}.{uuid.uuid4().hex}.unfinished")
    unfinished.write_text(dumps(content))
    unfinished.replace(file)
