"""What the owner can buy at Altegio itself: tariffs, payment links and discounts (docs/altegio.md §2).

All three calls are idempotent: two are questions, and a discount that is set twice is the same discount.
"""

from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from billing.models import Discount, OfferState, PaymentLink, TariffOption
from billing.money import plain_percent
from integrations.altegio import requests
from integrations.altegio.answers import Answer
from integrations.altegio.requests import ApiRequest
from integrations.altegio.tariffs import read_link, read_tariff_options
from integrations.connections.models import LIVE, Application, Connection
from integrations.outbox.call_kinds import CallKind, ObsoleteError, register
from integrations.outbox.models import OutgoingCall, Priority
from integrations.outbox.queue import queue_newest
from partner_portal.core.english import english
from partner_portal.core.english import english as _

NO_DISCOUNT = Decimal(0)


class NotOfferedError(Exception):
    """Raised when this cannot be bought, or given, for this connection; `str()` says why."""


def fetch_tariffs(application: Application) -> None:
    """Queue the question for an application's tariffs; one that already waits serves."""
    queue_newest(FetchTariffs, f"tariffs:{application.pk}", application=application.pk)


def ask_for_link(connection: Connection, option: TariffOption, discount: Decimal = NO_DISCOUNT) -> PaymentLink:
    """Queue the question for the address where the owner pays; it appears on the row. Raises NotOfferedError."""
    if option.application_id != connection.application_id or connection.state not in LIVE:
        raise NotOfferedError(_("This tariff is not for this location, or the location is not connected any more."))
    with transaction.atomic():
        link, _made = PaymentLink.objects.update_or_create(
            connection=connection,
            option=option,
            discount=discount,
            defaults={"state": OfferState.QUEUED, "url": "", "error": "", "asked_at": timezone.now()},
        )
        queue_newest(FetchLink, f"link:{link.pk}", connection_id=connection.pk, link=link.pk)
        return link


def give_discount(connection: Connection, percent: Decimal) -> Discount:
    """Queue a discount of 0 to 100 percent, with at most two decimals, for a connected location; the newest counts.

    Raises NotOfferedError.
    """
    if connection.state not in LIVE or not 0 <= percent <= 100:
        raise NotOfferedError("A discount of 0 to 100 percent is given to connected locations.")
    with transaction.atomic():
        discount, _made = Discount.objects.update_or_create(
            connection=connection,
            defaults={
                "percent": percent,
                "state": OfferState.QUEUED,
                "error": "",
                "changed_at": timezone.now(),
            },
        )
        key = f"discount:{discount.pk}"
        # The discount has an order of its own, so that no payment waits for it.
        queue_newest(GiveDiscount, key, ordering_key=key, connection_id=connection.pk, discount=discount.pk)
        return discount


@register
class FetchTariffs(CallKind):
    """The call that fetches the options an application is sold for.

    Neither a 404 nor an answer without a list means that there are none: the known options stay.
    """

    name = "fetch_tariffs"
    title = english("Tariffs")
    priority = Priority.HOUSEKEEPING
    idempotent = True
    on_either_host = True

    def request(self, call: OutgoingCall) -> ApiRequest:
        return requests.tariffs(Application.objects.get(pk=call.params["application"]).altegio_id)

    def accepted(self, call: OutgoingCall, answer: Answer) -> None:
        here = TariffOption.objects.filter(application=call.params["application"])
        data = read_tariff_options(answer)
        if data is None:
            return
        for option in data:
            TariffOption.objects.update_or_create(
                application_id=call.params["application"],
                altegio_id=option.id,
                defaults={
                    "tariff_title": option.tariff_title,
                    "title": option.title,
                    "price": option.price,
                    "currency": option.currency,
                    "months": option.months,
                    "staff_amount": option.staff_amount,
                    "free_months": option.free_months,
                    "fetched_at": timezone.now(),
                },
            )
        here.exclude(altegio_id__in=[option.id for option in data]).delete()


@register
class FetchLink(CallKind):
    """The call that fetches the address where an owner pays an option."""

    name = "fetch_payment_link"
    title = english("Payment link")
    priority = Priority.SETUP
    idempotent = True
    on_either_host = True

    def request(self, call: OutgoingCall) -> ApiRequest:
        link = (
            PaymentLink.objects.select_related("connection__location", "connection__application", "option")
            .filter(pk=call.params["link"])
            .first()
        )
        if link is None:
            raise ObsoleteError("The option is not offered any more.")
        return requests.payment_link(
            link.connection.location.altegio_id,
            link.connection.application.altegio_id,
            tariff_option_id=link.option.altegio_id,
            discount=plain_percent(link.discount),
        )

    def accepted(self, call: OutgoingCall, answer: Answer) -> None:
        url = read_link(answer)
        _settle_link(call, url, "" if url else "Altegio's answer holds no address.")

    def refused(self, call: OutgoingCall, reason: str, answer: Answer) -> None:
        _settle_link(call, "", reason)


def _settle_link(call: OutgoingCall, url: str, error: str) -> None:
    state = OfferState.FAILED if error else OfferState.SYNCED
    PaymentLink.objects.filter(pk=call.params["link"]).update(url=url, error=error[:500], state=state)


@register
class GiveDiscount(CallKind):
    """The call that sets a location's newest discount."""

    name = "give_discount"
    title = english("Discount")
    priority = Priority.MONEY
    idempotent = True
    yes_is_enough = True
    last_write_wins = True
    on_either_host = True

    def request(self, call: OutgoingCall) -> ApiRequest:
        discount = Discount.objects.select_related("connection__location", "connection__application").get(
            pk=call.params["discount"]
        )
        connection = discount.connection
        return requests.add_discount(
            [connection.location.altegio_id],
            connection.application.altegio_id,
            discount=plain_percent(discount.percent),
        )

    def accepted(self, call: OutgoingCall, answer: Answer) -> None:
        self._settle(call, OfferState.SYNCED, "")

    def refused(self, call: OutgoingCall, reason: str, answer: Answer) -> None:
        self._settle(call, OfferState.FAILED, reason)

    @staticmethod
    def _settle(call: OutgoingCall, state: OfferState, error: str) -> None:
        newer = OutgoingCall.objects.filter(kind=GiveDiscount.name, params=call.params, pk__gt=call.pk)
        if not newer.exists():
            Discount.objects.filter(pk=call.params["discount"]).update(state=state, error=error[:500])
