"""The owner's pages about money: until when each location is paid and how to pay, and what was paid."""

from typing import Any

from django.core.paginator import Page
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from accounts.limits import Limit
from accounts.listing import page_of, place_in, searched
from accounts.models import User
from accounts.pages import NOTICES, owner_page, register_page, show, to_page
from billing.how_much import how_much
from billing.labels import STATUS_ADVICE, STATUS_TONES, STATUS_WORDS, is_due, option_name, standing
from billing.models import Payment, PaymentLink, PaymentStatus
from billing.offers import NotOfferedError, ask_for_link
from billing.subscriptions import subscriptions
from billing.ways_to_pay import address_of_partner, offered_options, options_for, whom_to_ask
from integrations.connect.status import message_for
from integrations.connections.models import Connection, State
from integrations.connections.querysets import shown_to_owner
from integrations.locations.search import matching
from partner_portal.core.formats import money

SUBSCRIPTIONS, PAYMENTS = "billing:subscriptions", "billing:payments"
LINKS = Limit("payment-links", 30, 60)

register_page(20, SUBSCRIPTIONS, _("Subscriptions"))
register_page(30, PAYMENTS, _("Payments"))
NOTICES.register("link-asked", _("Altegio is asked for the address to pay at. Reload the page in a moment."))
NOTICES.register("link-wait", _("Too many requests. Please wait a minute and try again."))
NOTICES.register("link-none", _("This cannot be paid at Altegio now: the location is not connected any more."))


@require_GET
@owner_page
def subscription_list(request: HttpRequest, owner: User) -> HttpResponse:
    """Show until when each location is paid, earliest due first, in a constant number of queries."""
    search = searched(request)
    page = page_of(request, subscriptions().filter(matching(search), owner=owner))
    context = {
        "page": page,
        "rows": _subscription_rows(page),
        "search": search,
        "is_searched": bool(search) or page.paginator.num_pages > 1,
    }
    return show(request, owner, SUBSCRIPTIONS, "billing/subscriptions.html", context)


def _subscription_rows(page: "Page[Connection]") -> list[dict[str, Any]]:
    options = options_for(page)
    prices = how_much(list(page), {})
    links = {
        (link.connection_id, link.option_id): link
        for link in PaymentLink.objects.filter(connection__in=[each.pk for each in page], discount=0)
    }
    return [
        {
            "connection": connection,
            "standing": " ".join(filter(None, _said(connection, prices.get(connection.pk, "")))),
            "next_payment_at": None if is_due(connection) else connection.next_payment_at,
            "is_due": is_due(connection),
            "pay_url": address_of_partner(connection),
            "ask": whom_to_ask(connection),
            "offers": [
                {"option": option, "name": option_name(option), "link": links.get((connection.pk, option.pk))}
                for option in options.get(connection.application_id, [])
            ],
        }
        for connection in page
    ]


def _said(connection: Connection, price: str) -> tuple[str, str, str]:
    stopped = message_for(connection) if connection.state == State.FROZEN else ""
    return stopped, standing(connection), price


@require_GET
@owner_page
def payment_list(request: HttpRequest, owner: User) -> HttpResponse:
    """Show what was paid and refunded, newest first, except what staff must look at first."""
    search = searched(request)
    payments = (
        Payment.objects.filter(
            matching(search, "connection__"), shown_to_owner("connection__"), connection__owner=owner
        )
        .select_related("connection__location", "connection__application")
        .order_by("-paid_at", "-pk")
    )
    page = page_of(request, payments)
    context = {
        "page": page,
        "rows": [_payment_row(payment) for payment in page],
        "search": search,
        "is_searched": bool(search) or page.paginator.num_pages > 1,
    }
    return show(request, owner, PAYMENTS, "billing/payments.html", context)


def _payment_row(payment: Payment) -> dict[str, Any]:
    status = PaymentStatus(payment.status)
    return {
        "payment": payment,
        "connection": payment.connection,
        "amount": money(payment.exact_amount, payment.currency),
        "words": STATUS_WORDS[status],
        "advice": STATUS_ADVICE.get(status, ""),
        "tone": STATUS_TONES[status],
    }


@require_POST
@owner_page
def payment_link(request: HttpRequest, owner: User, connection_id: int, option_id: int) -> HttpResponse:
    """Request the link of one tariff option for the owner's connection; the page shows it once it has come."""
    connection = get_object_or_404(subscriptions(), pk=connection_id, owner=owner)
    option = get_object_or_404(offered_options([connection]), pk=option_id)
    back = place_in(request)
    if LINKS.hit(str(owner.pk)):
        return to_page(SUBSCRIPTIONS, done="link-wait", **back)
    try:
        ask_for_link(connection, option)
    except NotOfferedError:
        return to_page(SUBSCRIPTIONS, done="link-none", **back)
    return to_page(SUBSCRIPTIONS, done="link-asked", **back)
