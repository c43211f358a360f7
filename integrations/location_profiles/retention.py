"""Retention of a location's people once nothing is connected there."""

from datetime import datetime

from django.db.models import Exists, OuterRef

from integrations.connections.models import Connection
from integrations.location_profiles.models import LocationPerson
from partner_portal.core.retention import delete_first, register_retention


def delete_old_people(before: datetime) -> int:
    """Delete people fetched before `before` at locations without a live connection; return how many."""
    live = Connection.objects.live().filter(location=OuterRef("location"))
    return delete_first(LocationPerson.objects.filter(~Exists(live), fetched_at__lt=before).order_by("pk"))


register_retention("people of locations", "RETENTION_PEOPLE_DAYS", delete_old_people)
