"""How much an owner whose time is over would pay, as far as it is known."""

from collections.abc import Mapping, Sequence

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _

from billing.labels import is_due
from billing.models import Payment, PaymentStatus, TariffOption
from integrations.connections.models import Connection
from partner_portal.core import formats


def how_much(connections: Sequence[Connection], options: Mapping[int, list[TariffOption]]) -> dict[int, str]:
    """Return, for each connection that is due, the lowest tariff price or the last payment, by primary key.

    `options` holds the tariff options by application (`options_for`). One query; none if nothing is due.
    """
    due = [connection for connection in connections if is_due(connection)]
    last = last_payments([connection for connection in due if connection.application_id not in options])
    said = {each.pk: _lowest_price(options.get(each.application_id, [])) or last.get(each.pk, "") for each in due}
    return {pk: text for pk, text in said.items() if text}


def last_payments(connections: Sequence[Connection]) -> dict[int, str]:
    """Return the last payment, in a sentence, for each connection whose location has paid before, by primary key.

    Connections whose data their owner may not see are left out: somebody else may have paid.
    """
    shown = [connection for connection in connections if connection.is_shown_to_owner]
    if not shown:
        return {}
    found = {(each.application_id, each.location_id): each for each in _newest(shown)}
    paid = {each.pk: found.get((each.application_id, each.location_id)) for each in shown}
    return {pk: _said(payment) for pk, payment in paid.items() if payment}


def _newest(connections: Sequence[Connection]) -> QuerySet[Payment]:
    here = Payment.objects.filter(application=OuterRef("application"), location=OuterRef("location"))
    newest = here.filter(status=PaymentStatus.REPORTED).order_by("-paid_at", "-pk").values("pk")[:1]
    of_each = Connection.objects.filter(pk__in=[each.pk for each in connections]).annotate(newest=Subquery(newest))
    return Payment.objects.filter(pk__in=of_each.values("newest"))


def _said(payment: Payment) -> str:
    return _("Your last payment: %(amount)s.") % {"amount": formats.money(payment.exact_amount, payment.currency)}


def _lowest_price(options: Sequence[TariffOption]) -> str:
    """Return the lowest price in a sentence; "" for options in several currencies, which cannot be compared."""
    priced = [(each.price, each.currency) for each in options if each.price is not None]
    if len({currency for _price, currency in priced}) != 1:
        return ""
    return _("Tariffs from %(price)s.") % {"price": formats.money(*min(priced))}
