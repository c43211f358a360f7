"""The place in the feed at which a reader goes on."""

from datetime import timedelta

from integrations.partner_events.message_ids import made_at
from integrations.partner_events.models import PartnerEvent

# Longer than any transaction that publishes, and than the clocks of two machines differ: an event that was made so
# much earlier than another stands in front of it.
MARGIN = timedelta(hours=1)


def position_of(message_id: str) -> int | None:
    """Return an event's position; None for what was never an event's id.

    For an event that is not kept any more, return one that has all behind it that came after the event. Of those in
    front of the event, at most some that were made in the MARGIN before it are behind the returned position too.
    """
    moment = made_at(message_id)
    if moment is None:
        return None
    placed = PartnerEvent.objects.exclude(position=None)
    own = placed.filter(message_id=message_id).values_list("position", flat=True).first()
    if own is not None:
        return own
    earlier = placed.filter(created_at__lt=moment - MARGIN).order_by("-created_at")
    return earlier.values_list("position", flat=True).first() or 0
