"""The refresh of location profiles: each one every `REFRESHED_AFTER`, the most overdue first, a few in an hour."""

from django.db.models import Exists, OuterRef
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.location_profiles.call_kinds import look_at
from integrations.location_profiles.models import LocationProfile
from integrations.user_tokens.models import ApplicationToken, UserToken
from integrations.user_tokens.tokens import connection_with_token, has_token
from partner_portal.core.queues import Queue

# A profile takes two calls, so a round uses 400 of the 12,000 calls of an hour.
MAX_IN_A_ROUND = 200
PROFILES = Queue.register(Queue("location profiles", "Location profiles to be fetched", LocationProfile))


def refresh_profiles() -> int:
    """Queue the requests for the profiles that are due, if any token is known at all; return how many profiles."""
    if not (ApplicationToken.objects.exists() or UserToken.objects.exists()):
        return 0
    live = Connection.objects.live().filter(has_token(), location=OuterRef("location"))
    due = LocationProfile.objects.filter(Exists(live), due_at__lte=timezone.now())
    return PROFILES.work_each(list(PROFILES.ready(due).order_by("due_at")[:MAX_IN_A_ROUND]), _refresh)


def _refresh(profile: LocationProfile) -> None:
    connection = connection_with_token(profile.location_id)
    if connection is not None:
        look_at(connection)
