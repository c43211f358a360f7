"""The page of one arrival: the progress of each of its locations, and a sign-in for its person."""

from functools import wraps

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from accounts import limits
from integrations.connect import arrivals, tokens
from integrations.connect.forms import SignInForm
from integrations.connect.problem_pages import link_is_old, too_many, where_signed
from integrations.connect.status import status_of
from integrations.connect.views import link_sent, sign_in_on, signed_in_owner
from integrations.connections.brand import show_as
from integrations.connections.models import Arrival
from integrations.handover.buttons import OpenButton, allow_cabinet, open_buttons
from partner_portal.core.framing import View, altegio_origin, framed, host_origins
from partner_portal.core.languages import prefer


def status_view(view: View) -> View:
    """Decorate a page of one arrival, found by its status token. The token gives its holder no power to act."""

    @framed
    @wraps(view)
    def wrapper(request: HttpRequest, token: str) -> HttpResponseBase:
        arrival = tokens.arrival_of_status(token)
        if arrival is not None:
            show_as(request, arrival.application)
            return view(request, arrival, token)
        if _wants_json(request):
            return JsonResponse({"detail": _("This page is too old.")}, status=410)
        return link_is_old(request)

    return wrapper


def _wants_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


@require_GET
@vary_on_headers("Accept")
@status_view
def status(request: HttpRequest, arrival: Arrival, token: str) -> HttpResponse:
    """Show the progress of each location, live; as JSON for the page's script."""
    # After the sign-up form the language stays: otherwise the page of a new account would differ from that of an
    # address that has one.
    if arrival.user is not None and not arrival.signed_up:
        prefer(request, arrival.user.language)
    if _wants_json(request):
        return JsonResponse(status_of(arrival).as_json())
    return _status_page(request, arrival, token, SignInForm(auto_id="in_%s"))


def _status_page(
    request: HttpRequest, arrival: Arrival, token: str, sign_in: SignInForm, *, status: int = 200
) -> HttpResponse:
    # The sign-up form must show the same to a new account and to an address that has one.
    needs_sign_in = arrival.signed_up or bool(arrival.expected_address_hash)
    context = {
        "arrival": arrival,
        "token": token,
        "status": status_of(arrival),
        "open": _open_button(request, arrival),
        "sign_in": sign_in if needs_sign_in else None,
        "altegio_origin": altegio_origin(),
        "host_origins": host_origins(),
        "language_base": reverse("connect:status", args=[token]),
    }
    return render(request, "connect/status.html", context, status=status)


def _open_button(request: HttpRequest, arrival: Arrival) -> OpenButton | None:
    """Return the button to the partner's cabinet, for the arrival's owner, on the first of its connections that leads
    there.
    """
    # Allow it before anything is connected: the waiting page shows the button later without a reload.
    allow_cabinet(request, arrival.application)
    owner = signed_in_owner(request)
    if owner is None or owner.pk != arrival.user_id or not arrival.application.handover_url:
        return None
    mine = arrival.connections.live().shown_to_owner().filter(owner=owner).order_by("pk")
    return next(iter(open_buttons(request, owner, mine.select_related("application")[:1]).values()), None)


@csrf_exempt
@require_POST
@status_view
@where_signed
def status_sign_in(request: HttpRequest, arrival: Arrival, token: str) -> HttpResponse:
    """Sign the arrival's person in on its page; nobody else may."""
    return sign_in_on(request, arrival, lambda form: _status_page(request, arrival, token, form, status=400))


@csrf_exempt
@require_POST
@status_view
def status_link(request: HttpRequest, arrival: Arrival, token: str) -> HttpResponse:
    """Send an e-mail that signs the arrival's person in; it goes to their address, whoever asks for it.

    If the account that had the expected address has left it, they come anew from Altegio.
    """
    if wait := limits.SIGN_IN_LINKS.hit(request):
        return too_many(request, wait)
    person = arrivals.person_of(arrival)
    if person is None:
        return link_is_old(request)
    if person.email and (wait := arrivals.send_sign_in_link(arrival, person.email)):
        return too_many(request, wait)
    return link_sent(request, reverse("connect:status", args=[token]))
