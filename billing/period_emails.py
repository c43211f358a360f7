"""The e-mails about a trial or paid period: it ends soon, or Altegio has frozen the location until it is paid."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.email_rendering import EMAIL_CONTEXTS
from accounts.models import User
from accounts.notifications import NotificationKind, digest_context, register_notification
from accounts.untrusted_text import PartnersAddress
from billing.how_much import last_payments
from billing.labels import option_name, standing, why_it_ended
from billing.period_ends import ending, without_waiting_payment
from billing.ways_to_pay import address_of_partner, options_for, page_to_pay
from integrations.connections.brand import brand_of_all
from integrations.connections.models import Connection, State
from partner_portal.core import formats


def _theirs(connections: QuerySet[Connection], person: User, subjects: Sequence[int]) -> list[int]:
    """Return the subjects that are still the person's, and whose application notifies owners."""
    mine = connections.filter(pk__in=subjects, owner=person, application__tells_owners_of_periods=True)
    return list(mine.order_by("pk").values_list("pk", flat=True))


@register_notification
class Ending(NotificationKind):
    """A trial or paid period that ends within SUBSCRIPTION_WARNING_DAYS."""

    name = "ending"

    def still_true(self, person: User, subjects: Sequence[int]) -> list[int]:
        return _theirs(ending(), person, subjects)


@register_notification
class Frozen(NotificationKind):
    """An integration that Altegio has stopped until it is paid (docs/altegio.md §3)."""

    name = "frozen"

    def still_true(self, person: User, subjects: Sequence[int]) -> list[int]:
        return _theirs(without_waiting_payment(Connection.objects.filter(state=State.FROZEN)), person, subjects)


@EMAIL_CONTEXTS.add(Ending.name)
@EMAIL_CONTEXTS.add(Frozen.name)
def with_ways_to_pay(params: dict[str, Any]) -> dict[str, Any]:
    """Return the context of an e-mail about some connections of one application and `more` of them."""
    found = Connection.objects.select_related("application", "location").in_bulk(params["subjects"])
    shown = [found[pk] for pk in params["subjects"] if pk in found]
    prices = [option_name(option) for options in options_for(shown).values() for option in options]
    return {
        **digest_context([_line(connection) for connection in shown], params),
        "brand": brand_of_all(shown),
        "prices": prices,
        "last_payment": "" if prices or len(shown) > 1 else last_payments(shown).get(shown[0].pk, ""),
        "tariffs_url": settings.PORTAL_URL + page_to_pay(shown) if prices else "",
    }


def _line(connection: Connection) -> dict[str, Any]:
    frozen_at = connection.frozen_at
    return {
        "location": _name_of(connection),
        "application": connection.application.shown_name,
        "headline": _headline(connection),
        "standing": standing(connection),
        "since": _("Stopped since %(day)s.") % {"day": formats.day(frozen_at)} if frozen_at else "",
        "why": why_it_ended(connection),
        "pay_url": PartnersAddress(address_of_partner(connection)),
    }


def _name_of(connection: Connection) -> str:
    return connection.title or _("Location %(id)s") % {"id": connection.location.altegio_id}


def _headline(connection: Connection) -> str:
    """Return the subject of an e-mail about one location whose time ends soon."""
    end = connection.next_payment_at
    names = {"location": _name_of(connection), "day": formats.day(end) if end else ""}
    if end is not None and end == connection.paid_until:
        return _("The paid period of %(location)s ends on %(day)s") % names
    return _("The free trial of %(location)s ends on %(day)s") % names
