"""What "Pay" opens for an owner: the application decides, and it is the same everywhere."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from billing.labels import is_due
from billing.models import TariffOption
from integrations.connections.brand import brand_of
from integrations.connections.models import Application, Connection


def offered_options(connections: Iterable[Connection]) -> QuerySet[TariffOption]:
    """Return the tariff options these owners may pay at Altegio; none if the partner takes payments otherwise."""
    applications = {connection.application_id for connection in connections}
    at_altegio = TariffOption.objects.filter(application__paid_through=Application.PaidThrough.ALTEGIO)
    return at_altegio.filter(application__in=applications).order_by("tariff_title", "months", "pk")


def options_for(connections: Iterable[Connection]) -> Mapping[int, list[TariffOption]]:
    """Return `offered_options` by application, in one query."""
    found: dict[int, list[TariffOption]] = defaultdict(list)
    for option in offered_options(connections):
        found[option.application_id].append(option)
    return found


def address_of_partner(connection: Connection) -> str:
    """Return the partner's own address where the owner pays for this connection; "" if there is none."""
    return connection.application.address_to_pay(connection.location.altegio_id, connection.pk)


def whom_to_ask(connection: Connection) -> str:
    """Return where the owner of a due connection asks how to pay; "" if it is not due or no contact is known."""
    support = brand_of(connection.application).support
    return _("To pay, write to %(support)s.") % {"support": support} if support and is_due(connection) else ""


def page_to_pay(connections: Sequence[Connection]) -> str:
    """Return the path of the owner's page with the tariffs; limited to one location for a single connection."""
    only = f"?{urlencode({'q': connections[0].location.altegio_id})}" if len(connections) == 1 else ""
    return reverse("billing:subscriptions") + only
