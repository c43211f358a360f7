"""The pages of an arrival that say why it does not go on, and what to do."""

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
    """A page with one sentence of advice; where it `may_come_again`, with the way to the brand's support.

    `sign_in_url`: where the reader can sign in and go on.
    """
    context = {"title": title, "advice": advice, "may_come_again": may_come_again, "sign_in_url": sign_in_url}
    if request.method == "POST":
        context["language_base"] = ""  # there is nothing to read at this address
    return render(request, "connect/problem.html", context, status=status)


def too_many(request: HttpRequest, seconds: int) -> HttpResponse:
    """429: so many seconds to wait."""
    response = problem(request, _("Too many attempts"), wait_in_words(seconds), 429)
    response["Retry-After"] = str(seconds)
    return response


def link_is_old(request: HttpRequest) -> HttpResponse:
    """410: the token in the address is none, or is not good any more."""
    advice = _("Open the integration from Altegio again.")
    return problem(request, _("This page is too old"), advice, 410)


def must_come_signed(request: HttpRequest) -> HttpResponse:
    """The application needs Altegio's signature, and there is none."""
    advice = _(
        "Altegio has not told us who you are, so we connect nothing. Open the integration in Altegio's Marketplace, "
        "press Connect there, and agree that your name and e-mail address are passed on."
    )
    return problem(request, _("Please come from Altegio"), advice, 403)


def where_signed(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A step that claims locations: where the application needs Altegio's signature, a page that says so."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except arrivals.UnsignedArrivalError:
            return must_come_signed(request)

    return wrapper
