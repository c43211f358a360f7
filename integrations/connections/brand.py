"""The brand of a page or an e-mail: its application's, and the portal's for whatever that leaves empty."""

from collections.abc import Iterable
from dataclasses import fields, replace

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest

from accounts.brands import PERSONS_BRANDS
from accounts.models import User
from integrations.connections.models import Application, Connection
from partner_portal.core.brand import Brand


def brand_of(application: Application | None) -> Brand:
    """Return the brand of a page or e-mail about `application`, or about none in particular. Makes no query."""
    if application is None:
        return settings.BRAND
    own = {part.name: getattr(application, f"brand_{part.name}") for part in fields(Brand) if part.name != "logo"}
    own["logo"] = application.brand_logo_id
    return replace(settings.BRAND, **{part: value for part, value in own.items() if value})


def brand_of_all(connections: Iterable[Connection]) -> Brand | None:
    """Return the brand of an e-mail about `connections`; None if they belong to more than one application."""
    applications = {connection.application for connection in connections}
    return brand_of(applications.pop()) if len(applications) == 1 else None


def show_as(request: HttpRequest, application: Application | None) -> None:
    """Give the requested page the brand of this application."""
    request.brand = brand_of(application)  # type: ignore[attr-defined]


@PERSONS_BRANDS.add()
def brand_of_only_application(person: User) -> Brand | None:
    """Return the brand of the person's only application, or None if they have none or several; in one query."""
    theirs = Q(owner=person) | Q(owner=None, claimant=person)
    connections = Connection.objects.filter(theirs, application=OuterRef("pk"))
    found = list(Application.objects.filter(Exists(connections))[:2])
    return brand_of(found[0]) if len(found) == 1 else None
