"""Retention of arrivals that led nowhere."""

from datetime import datetime

from integrations.connections.models import Arrival, RefusedArrival
from partner_portal.core.retention import delete_first, register_retention


def delete_refused_arrivals(before: datetime) -> int:
    return delete_first(RefusedArrival.objects.filter(at__lt=before).order_by("at"))


def delete_unregistered_arrivals(before: datetime) -> int:
    """Delete arrivals on which nobody has signed up or in: no claim was made, and no connection follows from them."""
    unregistered = Arrival.objects.filter(claim="", user=None, expected_user=None, connections=None)
    return delete_first(unregistered.filter(arrived_at__lt=before).order_by("arrived_at"))


register_retention("refused arrivals", "RETENTION_REFUSED_ARRIVALS_DAYS", delete_refused_arrivals)
register_retention("unregistered arrivals", "RETENTION_UNREGISTERED_ARRIVALS_DAYS", delete_unregistered_arrivals)
