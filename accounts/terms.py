"""The terms of use and the privacy policy that people accept when they go on: which version, and when.

A version is the addresses of both: a partner who changes the texts puts them at another address. Each version is kept
once, with the moment of its first acceptance, until the person is erased.
"""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from partner_portal.core.brand import Brand

Acceptances = list[dict[str, str]]


def accepted_now(brand: Brand) -> Acceptances:
    """Return a new account's acceptances: people who sign up accept what `brand` asks them to accept, if anything."""
    if not brand.has_terms:
        return []
    return [_version(brand) | {"accepted_at": timezone.now().isoformat()}]


def accept_terms(user: User, brand: Brand) -> None:
    """Record that `user` accepts the terms of `brand` by going on; once for each version."""
    if not brand.has_terms or _has_accepted(user, brand):
        return
    with transaction.atomic():
        locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if not _has_accepted(locked, brand):
            locked.accepted_terms += accepted_now(brand)
            locked.save(update_fields=["accepted_terms"])
    user.accepted_terms = locked.accepted_terms


def terms_accepted_at(user: User) -> datetime | None:
    """Return when the person last accepted a version; None if they never did."""
    moments = [datetime.fromisoformat(each["accepted_at"]) for each in user.accepted_terms]
    return max(moments, default=None)


def _version(brand: Brand) -> dict[str, str]:
    return {"terms_url": brand.terms_url, "privacy_url": brand.privacy_url}


def _has_accepted(user: User, brand: Brand) -> bool:
    version = _version(brand)
    return any(version.items() <= each.items() for each in user.accepted_terms)
