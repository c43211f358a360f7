"""System checks that say what is wrong with the configuration and how to fix it (`manage.py check --deploy`)."""

from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from cryptography.fernet import Fernet
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register

from partner_portal.core.brand import DEFAULT_NAME
from partner_portal.core.console_email import PRINTED


@register
def altegio_settings(**_: Any) -> list[CheckMessage]:
    """Check that Altegio's two URLs, its time zone and the partner token are usable."""
    found: list[CheckMessage] = []
    for name in ("ALTEGIO_APP_URL", "ALTEGIO_API_URL"):
        address = urlsplit(getattr(settings, name))
        if address.scheme not in {"http", "https"} or not address.hostname:
            found.append(Error(f"{name} is no address.", hint="Write it in full, with https://.", id="portal.E001"))
    try:
        ZoneInfo(settings.ALTEGIO_TIME_ZONE)
    except (ValueError, KeyError, OSError):
        hint = "Write a name such as UTC or Europe/Berlin."
        found.append(Error("ALTEGIO_TIME_ZONE is no time zone.", hint=hint, id="portal.E002"))
    if not settings.ALTEGIO_PARTNER_TOKEN.isascii():
        hint = "Copy the token again from Altegio's developer account."
        found.append(Error("ALTEGIO_PARTNER_TOKEN holds letters no token has.", hint=hint, id="portal.E003"))
    return found


@register
def encryption_keys(**_: Any) -> list[CheckMessage]:
    """Check that every encryption key is a Fernet key."""
    for number, key in enumerate(settings.FIELD_ENCRYPTION_KEYS, start=1):
        try:
            Fernet(key)
        except ValueError:
            hint = (
                "Make one: python3 -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())'"
            )
            return [Error(f"Key {number} of FIELD_ENCRYPTION_KEYS is no Fernet key.", hint=hint, id="portal.E004")]
    return []


@register(Tags.security, deploy=True)
def in_production(**_: Any) -> list[CheckMessage]:
    """Warn of missing settings that production needs though the portal starts without them."""
    found: list[CheckMessage] = []
    if not settings.ALTEGIO_PARTNER_TOKEN:
        hint = "Copy it from Altegio's developer account; without it no arrival is accepted and no call goes out."
        found.append(checks.Warning("ALTEGIO_PARTNER_TOKEN is not set.", hint=hint, id="portal.W001"))
    if settings.ALTEGIO_APPLICATION_ID is None:
        hint = "Set it to the application served at /connect/."
        found.append(checks.Warning("ALTEGIO_APPLICATION_ID is not set.", hint=hint, id="portal.W002"))
    if not settings.BEHIND_HTTPS:
        hint = "Altegio takes only https addresses for entity webhooks: set PORTAL_URL to the public https address."
        found.append(checks.Warning("PORTAL_URL is not https.", hint=hint, id="portal.W003"))
    if settings.EMAIL_BACKEND == PRINTED:
        hint = "Set it to your mail server, for example smtp+tls://user:password@mail.example.com:587."
        what = "EMAIL_URL is not set: e-mails are printed, and reach nobody."
        found.append(checks.Warning(what, hint=hint, id="portal.W006"))
    return [*found, *_open_to_others(), *_brand()]


def _open_to_others() -> list[CheckMessage]:
    """Warn of settings that are safe only for trials on one machine."""
    found: list[CheckMessage] = []
    for name in ("ALTEGIO_APP_URL", "ALTEGIO_API_URL"):
        if urlsplit(getattr(settings, name)).scheme != "https":
            hint = "Write Altegio's https address: over http everybody on the way reads the partner token."
            found.append(checks.Warning(f"{name} is not https.", hint=hint, id="portal.W007"))
    if settings.EVENTS_ALLOW_PRIVATE:
        hint = "Leave it out: with it stored addresses reach the inside of your network."
        found.append(checks.Warning("EVENTS_ALLOW_PRIVATE is set.", hint=hint, id="portal.W008"))
    return found


def _brand() -> list[CheckMessage]:
    """Warn of missing parts of the brand, which owners see on every page and e-mail."""
    found: list[CheckMessage] = []
    if settings.BRAND.name == DEFAULT_NAME:
        hint = "Set it to the name that owners know you by; their pages and e-mails bear it."
        found.append(
            checks.Warning(f"BRAND_NAME is not set: owners read “{DEFAULT_NAME}”.", hint=hint, id="portal.W004")
        )
    if not settings.BRAND.support:
        hint = "Set one of them, so that owners who need help find you on their pages and e-mails."
        what = "Neither BRAND_SUPPORT_EMAIL nor BRAND_SUPPORT_URL is set."
        found.append(checks.Warning(what, hint=hint, id="portal.W005"))
    return found
