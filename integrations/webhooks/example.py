"""An example of a consumer: it logs how many changes of which resource came from which location."""

from collections import Counter
from collections.abc import Sequence

import structlog

from integrations.webhooks.consumers import CONSUMERS, IncomingEvent

log = structlog.get_logger(__name__)


@CONSUMERS.add("log")
def log_changes(events: Sequence[IncomingEvent]) -> None:
    """Log one line for each location and resource of a batch, without any of the customers' data."""
    changes = Counter(
        (event.salon_id, str(item.get("resource"))[:40])
        for event in events
        if not event.is_duplicate
        for item in event.items
    )
    for (salon_id, resource), count in changes.items():
        log.info("entities_changed", salon_id=salon_id, resource=resource, count=count)
