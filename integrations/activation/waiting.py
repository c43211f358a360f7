"""What "a claim has a waiting call" means. Nothing undecided is without one: the call carries the claim's end."""

from django.db.models import Exists, OuterRef, QuerySet

from integrations.activation.kinds import Activate
from integrations.models.connection import UNDECIDED, Connection
from integrations.outbox.models import UNFINISHED, OutgoingCall


def undecided_without_call() -> QuerySet[Connection]:
    """The undecided connections that nothing moves any more: no activation that waits, with a deadline.

    There should never be one; a watch that finds one queues `Activate.again` for it.
    """
    waiting = OutgoingCall.objects.filter(
        connection=OuterRef("pk"), kind=Activate.name, state__in=UNFINISHED, deadline_at__isnull=False
    )
    return Connection.objects.filter(~Exists(waiting), state__in=UNDECIDED)
