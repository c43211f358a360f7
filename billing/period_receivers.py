"""Receivers that notify the owner of a period's end and of a freeze."""

from typing import Any

from django.dispatch import receiver

from accounts.notifications import notify
from billing.models import PeriodNotice
from billing.period_emails import Ending, Frozen
from billing.signals import period_noted
from integrations.connections.models import Connection, State
from integrations.connections.signals import connection_changed
from integrations.lifecycle.notifications import application_group


@receiver(period_noted)
def tell_of_end(connection: Connection, kind: PeriodNotice.Kind, **_: Any) -> None:
    """Notify the owner before the end; after it, Altegio's freeze is what the owner is notified of."""
    if kind == PeriodNotice.Kind.ENDING:
        _tell(Ending, connection)


@receiver(connection_changed)
def tell_of_freeze(connection: Connection, after: State, **_: Any) -> None:
    """Notify the owner of a freeze, once for each unpaid period: Altegio may freeze and thaw it in between."""
    if after == State.FROZEN:
        _tell(Frozen, connection)


def _tell(kind: type[Ending | Frozen], connection: Connection) -> None:
    if not connection.application.tells_owners_of_periods:
        return
    period = f"{connection.next_payment_at:%Y%m%d}" if connection.next_payment_at else ""
    key, group = f"{connection.pk}:{period}", application_group(connection)
    notify(kind, connection.owner, connection.pk, key=key, group=group)
