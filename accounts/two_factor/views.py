"""The page of the second factor: set it up, show it, renew its backup codes, change the phone."""

from typing import Any

import segno
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from accounts.two_factor import rules
from accounts.two_factor.models import Authenticator


def two_factor(request: HttpRequest, frame: dict[str, Any]) -> HttpResponse:
    """`frame` is the admin's context. Without the password first there is nothing here."""
    if not rules.has_password_sign_in(request):
        return redirect(f"{reverse('admin:login')}?{urlencode({'next': request.get_full_path()})}")
    authenticator = rules.authenticator_of(request)
    if authenticator is not None and request.user.is_verified():  # type: ignore[union-attr]
        return _manage(request, frame, authenticator)
    if request.method == "POST":
        return _show(request, frame, is_new=authenticator is None)
    return _page(request, frame, authenticator)


def _show(request: HttpRequest, frame: dict[str, Any], *, is_new: bool) -> HttpResponse:
    if not rules.show_factor(request, request.POST.get("code", "")):
        wrong = _("This code is not right, or too many came. Wait a moment, then type the newest one.")
        return _page(request, frame, rules.authenticator_of(request), wrong=wrong)
    if is_new:
        rules.log_own(request, "Set up two-factor sign-in")
        return _new_codes(request, frame)
    wanted = request.POST.get("next", "")
    own = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return redirect(wanted if own else "admin:index")


def _manage(request: HttpRequest, frame: dict[str, Any], authenticator: Authenticator) -> HttpResponse:
    match request.POST.get("do"):
        case "codes":
            rules.log_own(request, "Renewed the backup codes")
            return _new_codes(request, frame)
        case "replace":
            rules.forget_factor(authenticator)
            rules.log_own(request, "Removed the authenticator app")
            messages.success(request, _("Removed. Set up your new phone now."))
            return redirect("admin:two-factor")
    left = authenticator.backup_codes.filter(used_at=None).count()
    return _render(request, frame, {"mode": "manage", "authenticator": authenticator, "left": left})


def _new_codes(request: HttpRequest, frame: dict[str, Any]) -> HttpResponse:
    authenticator = rules.authenticator_of(request)
    codes = authenticator.renew_backup_codes() if authenticator else []
    return _render(request, frame, {"mode": "codes", "codes": codes})


def _page(
    request: HttpRequest, frame: dict[str, Any], authenticator: Authenticator | None, *, wrong: str = ""
) -> HttpResponse:
    wanted = request.POST.get("next") or request.GET.get("next") or resolve_url("admin:index")
    if authenticator is not None:
        return _render(request, frame, {"mode": "show", "wrong": wrong, "next": wanted})
    fresh = rules.authenticator_to_set_up(request, anew=request.method == "GET")
    issuer = settings.PORTAL_URL.split("://")[-1]
    drawn = segno.make_qr(fresh.address(issuer)).svg_inline(scale=5, border=4, light="#fff", title=_("QR code"))
    context = {"mode": "set-up", "wrong": wrong, "next": wanted, "key": fresh.key}
    return _render(request, frame, {**context, "qr": mark_safe(drawn)})  # noqa: S308 - our own drawing


def _render(request: HttpRequest, frame: dict[str, Any], context: dict[str, Any]) -> HttpResponse:
    return render(request, "admin/two_factor.html", {**frame, "title": _("Two-factor sign-in"), **context})
