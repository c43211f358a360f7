"""The embedded broker: messages as files in a folder, each of which is whole or not there.

Kombu's own transport gives a message its name before its content. A worker that looks in between reads
an empty file, and an empty message stops it for good; so does one left by a killed process or a full disk.
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
    """What is written appears at once and whole; what is not a message is thrown away.

    Where a signature is not that of a base class, the base classes do not agree on it.
    """

    def _put(self, queue: str, payload: Any, **_: Any) -> None:  # type: ignore[override]
        _write_whole(Path(self.data_folder_out) / f"{time_ns():020}_{uuid.uuid4()}.{queue}.msg", payload)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """The next message; raises `queue.Empty` when there is none."""
        while True:
            try:
                return super()._get(queue)
            except ValueError:
                # Kombu has taken it out of the folder before it read it. The sweep finds what it was to wake.
                log.warning("broken_message_dropped", queue=queue)

    def get_table(self, exchange: str) -> list[filesystem.exchange_queue_t]:  # type: ignore[override]
        """Which queues hang on an exchange; none where its file is broken: it is written anew."""
        try:
            return super().get_table(exchange)
        except ValueError:
            return []

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str | None, queue: str) -> None:
        table = self.get_table(exchange)
        bound = filesystem.exchange_queue_t(routing_key, pattern or "", queue)
        if bound not in table:
            # Two at once write the same: there is one queue.
            _write_whole(self.control_folder / f"{exchange}.exchange", [bound, *table])


class Transport(filesystem.Transport):
    """`CELERY_BROKER_TRANSPORT` for `filesystem://`."""

    Channel = Channel


def _write_whole(file: Path, content: Any) -> None:
    # The name while it is written ends otherwise: nobody takes it for a message.
    unfinished = file.with_name(f"{file.name}.{uuid.uuid4().hex}.unfinished")
    unfinished.write_text(dumps(content))
    unfinished.replace(file)
