"""The timeline's entries about staff: their actions on a connection and their looks at the owner's pages."""

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
    """Yield each action and look from the admin's history, except added notes, which have entries of their own."""
    content_type = ContentType.objects.get_for_model(Connection)
    here = LogEntry.objects.filter(content_type=content_type, object_id=str(connection.pk))
    entries = here.exclude(change_message=NOTE_ADDED)
    for entry in entries.select_related("user").order_by("-pk")[:MAX_COUNT]:
        said, who = entry.get_change_message(), str(entry.user or _("staff"))
        yield Entry(entry.action_time, Rank.CAUSE, _("staff"), said, who, entry)
