"""The brand of pages and e-mails that are about no application in particular."""

from collections.abc import Callable
from contextlib import suppress

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.models import User
from partner_portal.core.brand import Brand
from partner_portal.core.extension_points import ExtensionPoint

PERSONS_BRANDS = ExtensionPoint[Callable[[User], Brand | None]](
    "brands", "Which brand an owner knows the partner by; None where that is the portal's."
)


def brand_for(person: object) -> Brand:
    """Return the brand that `person` knows the partner by; the portal's own for visitors and staff."""
    if isinstance(person, User) and not person.is_staff:
        for brand_of in PERSONS_BRANDS:
            if (found := brand_of(person)) is not None:
                return found
    return settings.BRAND


def brand(request: HttpRequest) -> dict[str, object]:
    """Return the `brand` of every page (context processor): `request.brand` if a view has set it, else the reader's.

    It is looked up only where a template shows it.
    """

    def known() -> Brand:
        own: Brand | None = getattr(request, "brand", None)
        if own is not None:
            return own
        # The error page still shows a brand when the database is away.
        with suppress(DatabaseError):
            return brand_for(getattr(request, "user", None))
        return settings.BRAND

    return {"brand": SimpleLazyObject(known)}
