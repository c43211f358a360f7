"""Notifications about connections, connected or not: one e-mail for an arrival, however many locations it has."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.email_rendering import EMAIL_CONTEXTS
from accounts.models import Notification, User
from accounts.notifications import NotificationKind, digest_context, register_notification
from integrations.connect.status import message_for
from integrations.connections.brand import brand_of_all
from integrations.connections.models import ArrivalLocation, Connection, State

# An owner who keeps trying where Altegio refuses the connection is notified only once a day.
SAME_AGAIN = timedelta(days=1)
_ARRIVAL = "arrival:"


def arrival_group(connection: Connection) -> str:
    """Return the group of the newest arrival that led to the connection; its notifications share one e-mail."""
    newest = ArrivalLocation.objects.filter(connection=connection).order_by("-arrival").values_list("arrival")
    found = newest.first()
    return f"{_ARRIVAL}{found[0]}" if found else application_group(connection)


def application_group(connection: Connection) -> str:
    """Return the group by which changes at many locations share one e-mail for each application."""
    return f"application:{connection.application_id}"


class _AboutArrival(NotificationKind):
    def unfinished(self, groups: Collection[str]) -> set[str]:
        """Return the groups of arrivals of which a location still waits for its activation."""
        arrivals = {int(group.removeprefix(_ARRIVAL)) for group in groups if group.startswith(_ARRIVAL)}
        waiting = ArrivalLocation.objects.filter(arrival__in=arrivals, connection__state=State.GRANTED)
        return {f"{_ARRIVAL}{arrival}" for arrival in waiting.values_list("arrival", flat=True).distinct()}


@register_notification
class Connected(_AboutArrival):
    """A notification that Altegio has accepted."""

    name = "connected"

    def still_true(self, person: User, subjects: Sequence[int]) -> list[int]:
        mine = Connection.objects.filter(pk__in=subjects, owner=person, state=State.ACTIVE)
        return list(mine.order_by("pk").values_list("pk", flat=True))


@register_notification
class NotConnected(_AboutArrival):
    """A notification that Altegio has refused, or that the time was over.

    The location is nobody's; the person who came for it is notified.
    """

    name = "not_connected"

    def still_true(self, person: User, subjects: Sequence[int]) -> list[int]:
        missed = Connection.objects.filter(
            pk__in=subjects, claimant=person, owner=None, state__in=(State.FAILED, State.EXPIRED)
        )
        here = Connection.objects.at(OuterRef("application"), OuterRef("location"))
        anew = here.not_ended().filter(Q(owner=person) | Q(claimant=person))
        sent_before = Notification.objects.filter(
            person=person, kind=self.name, sent_at__gt=timezone.now() - SAME_AGAIN
        )
        notified = here.filter(pk__in=sent_before.values("subject"))
        worth_it = missed.exclude(Exists(anew)).exclude(Exists(notified))
        return list(worth_it.order_by("pk").values_list("pk", flat=True))


@EMAIL_CONTEXTS.add(Connected.name)
@EMAIL_CONTEXTS.add(NotConnected.name)
def with_connections(params: dict[str, Any]) -> dict[str, Any]:
    """Return the context of an e-mail about some connections; `params` says how many more there are."""
    shown = Connection.objects.select_related("application", "location").in_bulk(params["subjects"])
    lines = [_line(shown[pk]) for pk in params["subjects"] if pk in shown]
    return digest_context(lines, params) | {"brand": brand_of_all(shown.values())}


def _line(connection: Connection) -> dict[str, str]:
    return {
        "location": connection.title or _("Location %(id)s") % {"id": connection.location.altegio_id},
        "application": connection.application.shown_name,
        "message": message_for(connection),
        "said": connection.altegio_words,
        "reconnect_url": connection.reconnect_url,
    }
