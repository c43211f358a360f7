"""Pages of the owner's own data: view, change and download it, and end sessions."""

from django.contrib.auth import logout
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.confirmation_links import opened
from accounts.email_change import (
    ADDRESS_WISHES,
    AddressTakenError,
    EmailChangeCancelledError,
    cancel_email_change,
    request_email_change,
    take_address,
)
from accounts.forms import AddressForm, FirstPasswordForm, PasswordForm, ProfileForm
from accounts.limits import OWN_EMAILS
from accounts.models import User
from accounts.pages import NOTICES, owner_page, register_page, show, to_page, too_many
from accounts.password_reset import send_own_reset_link
from accounts.personal_data import export_person
from accounts.sections import sections_of
from accounts.sessions import keep_this_session, recently_authenticated, sign_out_everywhere
from accounts.signals import person_changed
from partner_portal.core.languages import prefer

HERE = "accounts:me"

register_page(60, HERE, _("My data"))
NOTICES.register("saved", _("Saved."))
NOTICES.register("email-asked", _("We have sent an e-mail to the new address. Open the link in it within an hour."))
NOTICES.register("email-kept", _("Your e-mail address stays as it is."))
NOTICES.register("password-saved", _("Your new password is saved. You are signed out on all other devices."))
NOTICES.register("unlinked", _("The Altegio user is unlinked. You are signed out on all other devices."))
NOTICES.register("email-sent", _("We have sent you an e-mail with a link. It works once, for an hour."))


@require_http_methods(["GET", "POST"])
@owner_page
def me(request: HttpRequest, owner: User) -> HttpResponse:
    """Show the owner's data; change their name, phone and language."""
    # The form edits a copy, so that the page's head keeps showing what is stored.
    edited = User.objects.get(pk=owner.pk) if request.method == "POST" else owner
    form = ProfileForm(request.POST or None, instance=edited)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            form.save()
            if not {"name", "phone"}.isdisjoint(form.changed_data):
                person_changed.send(sender=User, user=edited)
        return to_page(HERE, done="saved")
    context = {
        "form": form,
        "identities": owner.identities.order_by("pk"),
        "sections": sections_of("me", request, owner),
    }
    return show(request, owner, HERE, "accounts/me.html", context, 400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("old_password")
@owner_page
def email(request: HttpRequest, owner: User) -> HttpResponse:
    """Request another e-mail address, which takes effect once the e-mail sent there confirms it.

    An owner without a password, whose sign-in is not fresh, first proves who they are by an e-mail.
    """
    if not recently_authenticated(request, owner):
        return show(request, owner, HERE, "accounts/password_email.html", {})
    form = AddressForm(owner, request.POST if request.method == "POST" else None)
    if form.is_valid():
        wait = ADDRESS_WISHES.hit(str(owner.pk)) or request_email_change(owner, form.cleaned_data["email"])
        if wait:
            return too_many(request, wait)
        return to_page(HERE, done="email-asked")
    return show(request, owner, HERE, "accounts/email.html", {"form": form}, 400 if form.errors else 200)


@require_POST
@owner_page
def keep_email(request: HttpRequest, owner: User) -> HttpResponse:
    """Cancel the change of e-mail address."""
    cancel_email_change(owner)
    return to_page(HERE, done="email-kept")


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters()
@never_cache
def confirm_email(request: HttpRequest, token: str) -> HttpResponse:
    """Confirm the new address. The e-mail's link shows one button, so that a mail scanner's visit changes nothing."""
    user = opened(token, "email")
    if user is None or not user.pending_email:
        return _link_is_old(request)
    prefer(request, user.language)
    is_owner = request.user == user
    form = FirstPasswordForm(user, request.POST if request.method == "POST" else None)
    if not form.is_valid():
        context = {"email": user.pending_email, "form": None if is_owner else form}
        return render(request, "accounts/email_confirm.html", context, status=400 if form.errors else 200)
    try:
        take_address(user, is_owner=is_owner, password=form.cleaned_data["password"])
    except AddressTakenError:
        return render(request, "accounts/email_taken.html", status=409)
    except EmailChangeCancelledError:
        return _link_is_old(request)
    return render(request, "accounts/email_changed.html", {"email": user.email})


def _link_is_old(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/link_is_old.html", {"again": HERE}, status=410)


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters()
@owner_page
def password(request: HttpRequest, owner: User) -> HttpResponse:
    """Set a new password. Owners without one may while the sign-in is fresh; later an e-mail proves who they are."""
    if not recently_authenticated(request, owner):
        return show(request, owner, HERE, "accounts/password_email.html", {})
    form = PasswordForm(owner, request.POST if request.method == "POST" else None)
    if form.is_valid():
        form.save()
        keep_this_session(request, owner)
        return to_page(HERE, done="password-saved")
    return show(request, owner, HERE, "accounts/password.html", {"form": form}, 400 if form.errors else 200)


@require_POST
@owner_page
def password_email(request: HttpRequest, owner: User) -> HttpResponse:
    """Send a link to choose a password to the owner's own address."""
    if wait := OWN_EMAILS.hit(f"password_reset {owner.pk}"):
        return too_many(request, wait)
    send_own_reset_link(owner)
    return to_page(HERE, done="email-sent")


@require_POST
@owner_page
def end_sessions(request: HttpRequest, owner: User) -> HttpResponse:
    """Sign out everywhere, here too."""
    sign_out_everywhere(owner)
    logout(request)
    return redirect("accounts:sign-in")


@require_POST
@owner_page
def unlink(request: HttpRequest, owner: User, pk: int) -> HttpResponse:
    """Unlink an Altegio user, whose signature then no longer opens the account, and end all other sessions."""
    owner.identities.filter(pk=pk).delete()
    owner.refresh_from_db(fields=["session_epoch"])
    keep_this_session(request, owner)
    return to_page(HERE, done="unlinked")


@require_GET
@owner_page
def download(request: HttpRequest, owner: User) -> HttpResponse:
    """Download everything the portal holds on the owner, as a JSON file."""
    response = JsonResponse(export_person(owner), json_dumps_params={"ensure_ascii": False, "indent": 2})
    response["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return response
