"""What staff did with a connection, and whose pages they looked at: the admin's history, beside all else."""

from collections.abc import Iterator

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType

from integrations.backoffice.timeline.entries import TIMELINE, Entry, Rank
from integrations.backoffice.timeline.notes import NOTE_ADDED
from integrations.connections.models import Connection
from partner_portal.core.english import english as _

MAX_COUNT = 100


@TIMELINE.add(rank=90)
def by_staff(connection: Connection) -> Iterator[Entry]:
    """Each action taken and each look; a note stands there itself."""
    content_type = ContentType.objects.get_for_model(Connection)
    here = LogEntry.objects.filter(content_type=content_type, object_id=str(connection.pk))
    entries = here.exclude(change_message=NOTE_ADDED)
    for entry in entries.select_related("user").order_by("-pk")[:MAX_COUNT]:
        said, who = entry.get_change_message(), str(entry.user or _("staff"))
        yield Entry(entry.action_time, Rank.CAUSE, _("staff"), said, who, entry)
