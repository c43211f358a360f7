"""Pages that say why an arrival does not go on, and what to do."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from accounts.pages import wait_in_words
from integrations.connect import arrivals


def problem(
    request: HttpRequest,
    title: str,
    advice: object,
    status: int,
    *,
    may_come_again: bool = False,
    sign_in_url: str = "",
) -> HttpResponse:
    """Return a page with one sentence of advice.

    With `may_come_again` the page also names the brand's support. `sign_in_url` is where the reader can sign in and
    go on.
    """
    context = {"title": title, "advice": advice, "may_come_again": may_come_again, "sign_in_url": sign_in_url}
    if request.method == "POST":
        context["language_base"] = ""  # a GET of this address would show nothing
    return render(request, "connect/problem.html", context, status=status)


def too_many(request: HttpRequest, seconds: int) -> HttpResponse:
    """Return a 429 page that names the seconds to wait."""
    response = problem(request, _("Too many attempts"), wait_in_words(seconds), 429)
    response["Retry-After"] = str(seconds)
    return response


def link_is_old(request: HttpRequest) -> HttpResponse:
    """Return a 410 page: the token in the address is invalid or has expired."""
    advice = _("Open the integration from Altegio again.")
    return problem(request, _("This page is too old"), advice, 410)


def must_come_signed(request: HttpRequest) -> HttpResponse:
    """Return a 403 page: the application needs Altegio's signature, and there is none."""
    advice = _(
        "Altegio has not told us who you are, so we connect nothing. Open the integration in Altegio's Marketplace, "
        "press Connect there, and agree that your name and e-mail address are passed on."
    )
    return problem(request, _("Please come from Altegio"), advice, 403)


def where_signed(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Decorate a step that claims locations: show `must_come_signed` if the application needs Altegio's signature."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except arrivals.UnsignedArrivalError:
            return must_come_signed(request)

    return wrapper
