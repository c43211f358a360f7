"""The account's language: the one its owner came with, until they choose another."""

from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.views.decorators.http import require_POST

from accounts.models import User
from partner_portal.core.languages import supported


def remember_language(user: User) -> None:
    """Store the current page's language for an owner who has none yet; their e-mails use it too."""
    if user.language or user.is_staff:
        return
    user.language = get_language() or ""
    User.objects.filter(pk=user.pk, language="").update(language=user.language)


@receiver(user_logged_in)
def remember_at_sign_in(user: User, **_: Any) -> None:
    remember_language(user)


@require_POST
@login_required
def choose_language(request: HttpRequest) -> HttpResponseRedirect:
    """Store the language chosen in the footer, and redirect to the page it was chosen on."""
    if code := supported(request.POST.get("language", "")):
        User.objects.filter(pk=cast("User", request.user).pk).update(language=code)
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = reverse("accounts:home")
    return HttpResponseRedirect(back)
