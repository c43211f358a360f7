"""The owner's erasure of their data: the page says what is erased and what stays; a password or an e-mail proves
them.
"""

from typing import Any

from django.contrib.auth import logout
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.confirmation_links import link_for, opened, state_of
from accounts.email_rendering import EMAIL_CONTEXTS
from accounts.emails import queue_email, reader_of
from accounts.erasure import erase_person
from accounts.forms import OwnPasswordForm
from accounts.limits import OWN_EMAILS
from accounts.models import User
from accounts.pages import owner_page, show, to_page, too_many
from accounts.sections import register_section
from accounts.sessions import SessionRevokedError, as_let_in
from integrations.connections.models import Connection
from integrations.status_sync.disconnect import disconnect_all
from partner_portal.core.languages import prefer

ME = "accounts:me"


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters()
@owner_page
def erase(request: HttpRequest, owner: User) -> HttpResponse:
    """Show what will happen, and erase on the right password. An owner without a password gets an e-mail."""
    form = OwnPasswordForm(owner, request.POST if request.method == "POST" else None)
    if owner.has_usable_password() and form.is_valid():
        return _erase(request, owner)
    context = {"form": form, "connected": _connected(owner)}
    return show(request, owner, ME, "integrations/erase.html", context, 400 if form.errors else 200)


@require_POST
@owner_page
def send_email(request: HttpRequest, owner: User) -> HttpResponse:
    """Send the e-mail with the link to the last question."""
    if wait := OWN_EMAILS.hit(f"erase {owner.pk}"):
        return too_many(request, wait)
    key = f"erase:{owner.pk}:{timezone.now():%Y%m%d%H%M%S%f}"
    queue_email("erase", owner, key=key, state=state_of(owner))
    return to_page(ME, done="email-sent")


@require_http_methods(["GET", "POST"])
@never_cache
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Show the page behind the e-mail's link: ask on GET, erase on POST."""
    user = opened(token, "erase")
    if user is None:
        return _link_is_old(request)
    prefer(request, user.language)
    if request.method == "POST":
        try:
            with as_let_in(user) as held:
                return _erase(request, held)
        except SessionRevokedError:
            return _link_is_old(request)
    return render(request, "integrations/erase_confirm.html", {"person": user, "connected": _connected(user)})


def _link_is_old(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/link_is_old.html", {"again": ME}, status=410)


def _erase(request: HttpRequest, owner: User) -> HttpResponse:
    with transaction.atomic():
        if request.POST.get("disconnect"):
            disconnect_all(owner, "The owner left and disconnected it.")
        erase_person(owner)
    logout(request)
    return render(request, "integrations/erased.html")


def _connected(owner: User) -> int:
    return Connection.objects.live().filter(owner=owner).count()


@EMAIL_CONTEXTS.add("erase")
def with_erasing_link(params: dict[str, Any]) -> dict[str, Any]:
    """Return the e-mail's context with its link, which is made at the moment of sending."""
    user = reader_of(params)
    link = link_for(user, "erase", "lifecycle:erase-confirm", state=params["state"])
    return {"link": link, "name": user.name}


register_section("me", "integrations/section_erase.html", lambda _request, _owner: {})
