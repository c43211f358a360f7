"""The fuzzers' measurements: how much work a request caused, and the worst of a whole run."""

import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.security.wire import Wire, call

# `make fuzz EXAMPLES=100000` tries many; the suite tries a hundred, always the same.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "100"))
IS_SUITE = "FUZZ_EXAMPLES" not in os.environ


@dataclass
class Watched:
    """The portal under attack; every request is undone, so that each finds the same database."""

    application: Callable[..., Any]
    requests: int = 0
    slowest: float = 0.0
    most_queries: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    memory_before: int = field(default_factory=lambda: _peak_memory())

    def send(self, wire: Wire, then: Callable[[], object] = lambda: None) -> int:
        """Send a request and return the answer's status; `then` is the work that follows from what was stored."""
        with transaction.atomic():
            started = time.perf_counter()
            with CaptureQueriesContext(connection) as queries:
                status = call(self.application, wire)
            self._count(status, time.perf_counter() - started, len(queries))
            # Django keeps the last 9,000 queries, of which an arrival's may be 100 KB each.
            connection.queries_log.clear()
            if status < 300:
                then()
            transaction.set_rollback(True)
        return status

    def _count(self, status: int, seconds: float, queries: int) -> None:
        self.requests += 1
        self.slowest = max(self.slowest, seconds)
        self.most_queries = max(self.most_queries, queries)
        self.statuses[status] = self.statuses.get(status, 0) + 1

    def __str__(self) -> str:
        grown = (_peak_memory() - self.memory_before) / 1024
        counts = ", ".join(f"{status}: {count}" for status, count in sorted(self.statuses.items()))
        return (
            f"{self.requests} requests ({counts}); slowest {self.slowest * 1000:.0f} ms, "
            f"most queries {self.most_queries}, peak memory grew by {grown:.0f} MiB"
        )


def _peak_memory() -> int:
    """Return the largest memory of this process so far, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
