"""Views of the arrival: each parses, calls the one function that holds the rule, and shows the result.

The pages may stand in a cross-site iframe with cookies blocked. A signed token in the address carries the step, so
the forms need no CSRF cookie (whoever has the token may act on that arrival, and nobody else can know it).
"""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import limits
from accounts.forms import FirstPasswordForm
from accounts.languages import remember_language
from accounts.models import User
from accounts.owner_frame import as_owner, posted_from_our_page
from accounts.sign_in import CANNOT_SIGN_IN, owner_with_password
from integrations.connect import arrivals, tokens
from integrations.connect.forms import EmailForm, SignInForm, SignUpForm
from integrations.connect.parameters import InvalidArrivalError, locations_named, read_redirect
from integrations.connect.problem_pages import link_is_old, must_come_signed, problem, too_many, where_signed
from integrations.connect.registration import begins_anew, opens_to_reader, user_to_be_linked
from integrations.connections.brand import show_as
from integrations.connections.models import Arrival
from partner_portal.core.framing import View, framed, is_in_frame
from partner_portal.core.languages import prefer

# Remembers this browser's unsigned arrival, if it takes cookies, so that a reload is the same arrival.
SEEN_COOKIE = "arrival"


@framed
@require_GET
def arrive(request: HttpRequest, application_id: int | None = None) -> HttpResponse:
    """Receive the registration redirect (docs/altegio.md §1)."""
    if wait := limits.ARRIVALS.hit(request):
        return too_many(request, wait)
    application = arrivals.application_of(application_id)
    if application is None:
        advice = _("This address belongs to no application. Open the integration from Altegio's Marketplace.")
        return problem(request, _("Unknown application"), advice, 404)
    show_as(request, application)
    query = request.META.get("QUERY_STRING", "")
    try:
        redirect = read_redirect(query, settings.ALTEGIO_PARTNER_TOKEN)
    except InvalidArrivalError as refusal:
        arrivals.refuse_arrival(application, str(refusal), locations_named(query))
        return problem(request, _("This link does not work"), refusal.advice, 400, may_come_again=True)
    if redirect.person is not None:
        return _to_status_as_owner(request, arrivals.receive_signed(application, redirect))
    if application.is_personal_data_access_needed:
        reason = "Without Altegio's signature, which the application needs."
        arrivals.refuse_arrival(application, reason, locations_named(query))
        return must_come_signed(request)
    network = limits.network_of(request)
    arrival = arrivals.receive_unsigned(application, redirect, _seen(request), network=network)
    return _show_forms_for_new(request, arrival)


def _seen(request: HttpRequest) -> Arrival | None:
    return tokens.arrival_of_step(request.COOKIES.get(SEEN_COOKIE, ""))


def _show_forms_for_new(request: HttpRequest, arrival: Arrival) -> HttpResponse:
    token = tokens.step_token(arrival)
    response = _forms(request, arrival, token)
    response.set_cookie(
        SEEN_COOKIE,
        token,
        max_age=tokens.STEP_AGE,
        path="/connect/",
        httponly=True,
        samesite="Lax",
        secure=settings.BEHIND_HTTPS,
    )
    return response


def _to_status(arrival: Arrival) -> HttpResponseRedirect:
    response = HttpResponseRedirect(reverse("connect:status", args=[tokens.status_token(arrival)]))
    response.status_code = 303
    return response


def _to_status_as_owner(request: HttpRequest, arrival: Arrival) -> HttpResponseRedirect:
    """Redirect a person who has just proven who they are to the status page, as its owner.

    In the frame, where no cookie says who they are, the address does. The page's plain address opens nothing, so it
    may be shared.
    """
    response = _to_status(arrival)
    if arrival.user is not None and is_in_frame(request):
        response["Location"] = as_owner(arrival.user, response["Location"])
    return response


def _forms(
    request: HttpRequest,
    arrival: Arrival,
    token: str,
    *,
    sign_up: SignUpForm | None = None,
    sign_in: SignInForm | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "arrival": arrival,
        "token": token,
        "sign_up": sign_up or SignUpForm(auto_id="up_%s"),
        "sign_in": sign_in or SignInForm(auto_id="in_%s"),
        "owner": signed_in_owner(request),
        "language_base": reverse("connect:step", args=[token]),
    }
    return render(request, "connect/register.html", context, status=status)


def signed_in_owner(request: HttpRequest) -> User | None:
    """Return the owner whose browser is signed in; None for staff and visitors."""
    user = request.user
    return user if isinstance(user, User) and not user.is_staff else None


def step_view(view: View) -> View:
    """Decorate a POST view that takes a step token; without a valid token, show a page that says what to do."""

    @framed
    @csrf_exempt
    @require_POST
    @wraps(view)
    def wrapper(request: HttpRequest, token: str) -> HttpResponseBase:
        arrival = tokens.arrival_of_step(token)
        if arrival is None:
            return link_is_old(request)
        show_as(request, arrival.application)
        return view(request, arrival, token)

    return wrapper


@framed
@require_GET
def step(request: HttpRequest, token: str) -> HttpResponse:
    """Show the forms again, for reloads and the Back button."""
    arrival = tokens.arrival_of_step(token)
    if arrival is None:
        return link_is_old(request)
    show_as(request, arrival.application)
    return _forms(request, arrival, token)


@step_view
@where_signed
def sign_up(request: HttpRequest, arrival: Arrival, token: str) -> HttpResponse:
    """Register a new owner. An address that has an account gets the same answer."""
    if wait := limits.SIGN_UPS.hit(request):
        return too_many(request, wait)
    form = SignUpForm(request.POST, auto_id="up_%s")
    if not form.is_valid():
        return _forms(request, arrival, token, sign_up=form, status=400)
    return _to_status(arrivals.register(arrival, form.as_sign_up()))


@step_view
@where_signed
def sign_in(request: HttpRequest, arrival: Arrival, token: str) -> HttpResponse:
    """Sign in an owner who has an account already."""
    return sign_in_on(request, arrival, lambda form: _forms(request, arrival, token, sign_in=form, status=400))


def sign_in_on(request: HttpRequest, arrival: Arrival, again: Callable[[SignInForm], HttpResponse]) -> HttpResponse:
    """Sign in with the password typed on one of the arrival's pages; `again` shows that page with the errors."""
    if wait := limits.SIGN_INS.hit(request):
        return too_many(request, wait)
    form = SignInForm(request.POST, auto_id="in_%s")
    if form.is_valid():
        user = owner_with_password(request, form.cleaned_data["email"], form.cleaned_data["password"])
        if user is not None:
            return _enter(request, arrival, user, is_just_proven=True)
        form.add_error(None, CANNOT_SIGN_IN)
    return again(form)


def _taken(request: HttpRequest) -> HttpResponse:
    advice = _("Another account is connecting here already. Open the integration from Altegio again.")
    return problem(request, _("Already taken"), advice, 409)


def _enter(request: HttpRequest, arrival: Arrival, user: User, *, is_just_proven: bool) -> HttpResponse:
    if not arrivals.give_to(arrival, user, is_just_proven=is_just_proven):
        return _taken(request)
    remember_language(user)
    arrival.user = user
    # Only a form of ours may open a session (login CSRF). A session of the same user is kept: nothing new was proven.
    if posted_from_our_page(request) and not is_in_frame(request) and request.user != user:
        login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    return _to_status_as_owner(request, arrival) if posted_from_our_page(request) else _to_status(arrival)


@step_view
def send_link(request: HttpRequest, arrival: Arrival, token: str) -> HttpResponse:
    """Send an e-mail that signs the owner in; the answer is the same whether the address has an account."""
    if wait := limits.SIGN_IN_LINKS.hit(request):
        return too_many(request, wait)
    form = EmailForm(request.POST)
    if not form.is_valid():
        return _forms(request, arrival, token, sign_in=SignInForm(request.POST, auto_id="in_%s"), status=400)
    email = form.cleaned_data["email"].lower()
    if wait := arrivals.send_sign_in_link(arrival, email):
        return too_many(request, wait)
    return link_sent(request, reverse("connect:step", args=[token]), email)


def link_sent(request: HttpRequest, page: str, email: str = "") -> HttpResponse:
    """Show that the e-mail is on its way; `page` is where its reader came from."""
    return render(request, "connect/link_sent.html", {"email": email, "language_base": page})


@framed
@require_POST
@where_signed
def go_on(request: HttpRequest, token: str) -> HttpResponse:
    """Go on with one click of an owner whose browser is signed in; the session and its CSRF token guard it."""
    arrival, owner = tokens.arrival_of_step(token), signed_in_owner(request)
    if arrival is None or owner is None:
        return link_is_old(request)
    show_as(request, arrival.application)
    return _enter(request, arrival, owner, is_just_proven=False)


def _link_was_used(request: HttpRequest, token: str) -> HttpResponse:
    """Show that the link was used or is too old, with a way to sign in.

    An owner of several arrivals who has opened the e-mail of one may sign in on each of the others.
    """
    arrival = tokens.arrival_behind_old_link(token)
    sign_in_url = reverse("connect:step", args=[tokens.step_token(arrival)]) if arrival else ""
    advice = _("A link works once, for an hour. Sign in with your password, or have a new link sent.")
    return problem(request, _("This link was used or is too old"), advice, 410, sign_in_url=sign_in_url)


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@where_signed
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Show the page behind an e-mail's link. It has one button, so that a mail scanner's visit changes nothing."""
    opened = tokens.opened_link(token)
    if opened is None:
        return _link_was_used(request, token)
    arrival, user = opened
    show_as(request, arrival.application)
    if not opens_to_reader(arrival, user):
        return _taken(request)
    prefer(request, user.language)
    # A person who signed up in this browser a moment ago has just chosen the password.
    signed_up_here = arrival.signed_up and arrival.user_id == user.pk and _seen(request) == arrival
    asks = begins_anew(arrival, user) and not signed_up_here
    form = FirstPasswordForm(user, request.POST if request.method == "POST" else None)
    if not form.is_valid():
        context = {
            "user": user,
            "arrival": arrival,
            "form": form if asks else None,
            "altegio_user": user_to_be_linked(arrival, user),
        }
        return render(request, "connect/confirm.html", context, status=400 if form.errors else 200)
    password = form.cleaned_data["password"] if asks else ""
    if not arrivals.enter_by_email(arrival, user, password=password, keeps_password=signed_up_here):
        return _taken(request)
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    if arrival.claim:
        return _to_status(arrival)
    return HttpResponseRedirect(reverse("connect:step", args=[tokens.step_token(arrival)]))
