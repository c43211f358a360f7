"""The pages of the second factor: set it up, show it, renew its backup codes, change the phone."""

from typing import Any
from urllib.parse import quote

import segno
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.safestring import mark_safe

from accounts.models import Authenticator
from accounts.two_factor import rules, setup
from partner_portal.core.admin_history import log_change
from partner_portal.core.english import english as _

Frame = dict[str, Any]
HERE = "admin:two-factor"


def two_factor(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Show the page that this session may see; without the password, the sign-in. `frame` is the admin's context."""
    if not rules.has_password_sign_in(request):
        return _to_sign_in(request)
    authenticator = rules.authenticator_of(request)
    if authenticator is not None and not rules.is_verified(request):
        return _show(request, frame)
    if setup.is_allowed(request):
        return _set_up(request, frame, authenticator)
    if authenticator is not None:
        return _manage(request, frame, authenticator)
    return _render(request, frame, {"mode": "no-link", "email": request.user.email})  # type: ignore[union-attr]


def link(request: HttpRequest, frame: Frame, token: str) -> HttpResponse:
    """Open the e-mail's link: first the password, then the set-up. A redirect leaves the token's address at once."""
    if not rules.has_password_sign_in(request):
        return _to_sign_in(request)
    if setup.open_link(request, token):
        return redirect(HERE)
    return _render(request, frame, {"mode": "old-link"}, status=410)


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    return redirect(f"{reverse('admin:login')}?{urlencode({'next': request.get_full_path()})}")


def _show(request: HttpRequest, frame: Frame) -> HttpResponse:
    wanted = request.POST.get("next") or request.GET.get("next") or resolve_url("admin:index")
    context = {"mode": "show", "next": wanted}
    if request.method != "POST":
        return _render(request, frame, context)
    if not rules.show_factor(request, request.POST.get("code", "")):
        return _render(request, frame, {**context, "wrong": _wrong_code()})
    own = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return redirect(wanted if own else "admin:index")


def _set_up(request: HttpRequest, frame: Frame, authenticator: Authenticator | None) -> HttpResponse:
    wrong = ""
    if request.POST.get("do") == "keep":
        setup.give_up(request)
        return redirect(HERE)
    if request.method == "POST":
        try:
            codes = setup.finish(request, request.POST.get("code", ""))
        except setup.SetupRefusedError:
            return redirect(HERE)
        if codes is not None:
            return _new_codes(request, frame, codes, "Set up two-factor sign-in")
        wrong = _wrong_code()
    key = setup.key_here(request) if wrong else setup.fresh_key(request)
    drawn = segno.make_qr(_address(request, key)).svg_inline(scale=5, border=4, light="#fff", title=_("QR code"))
    context = {"mode": "set-up", "wrong": wrong, "key": key, "instead": authenticator is not None}
    return _render(request, frame, {**context, "qr": mark_safe(drawn)})  # noqa: S308 - our own drawing


def _address(request: HttpRequest, key: str) -> str:
    """Return the text of the QR code (the Key URI Format of authenticator apps)."""
    issuer = settings.PORTAL_URL.split("://")[-1]
    query = urlencode({"secret": key, "issuer": issuer})
    return f"otpauth://totp/{quote(f'{issuer}:{request.user}')}?{query}"


def _manage(request: HttpRequest, frame: Frame, authenticator: Authenticator) -> HttpResponse:
    wrong = ""
    if request.method == "POST":
        given = (request.POST.get("password", ""), request.POST.get("code", ""))
        if rules.proves_both_factors(request, *given):
            return _change(request, frame, authenticator)
        wrong = _("The password or the code is not right, or too many came. Wait for the app's next code, then try.")
    left = authenticator.backup_codes.filter(used_at=None).count()
    return _render(request, frame, {"mode": "manage", "authenticator": authenticator, "left": left, "wrong": wrong})


def _change(request: HttpRequest, frame: Frame, authenticator: Authenticator) -> HttpResponse:
    if request.POST.get("do") == "replace":
        setup.allow(request)
        return redirect(HERE)
    try:
        codes = setup.renew_backup_codes(request, authenticator)
    except setup.SetupRefusedError:
        return redirect(HERE)
    return _new_codes(request, frame, codes, "Renewed the backup codes")


def _new_codes(request: HttpRequest, frame: Frame, codes: list[str], what: str) -> HttpResponse:
    """Show the new backup codes, and log the change in the history of the member of staff."""
    log_change(request, request.user, what)  # type: ignore[arg-type] # whoever is here has signed in
    return _render(request, frame, {"mode": "codes", "codes": codes})


def _wrong_code() -> str:
    return _("This code is not right, or too many came. Wait a moment, then type the newest one.")


def _render(request: HttpRequest, frame: Frame, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    shown = {**frame, "title": _("Two-factor sign-in"), **context}
    return render(request, "admin/two_factor.html", shown, status=status)
