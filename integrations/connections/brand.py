"""Which brand a page or an e-mail has: its application's, and where that says nothing, the portal's."""

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
    """The brand of a page or e-mail about `application`, or about none in particular. Asks no database."""
    if application is None:
        return settings.BRAND
    own = {part.name: getattr(application, f"brand_{part.name}") for part in fields(Brand) if part.name != "logo"}
    own["logo"] = application.brand_logo_id
    return replace(settings.BRAND, **{part: value for part, value in own.items() if value})


def brand_of_all(connections: Iterable[Connection]) -> Brand | None:
    """The brand of an e-mail about `connections`; None where they are of more than one application."""
    applications = {connection.application for connection in connections}
    return brand_of(applications.pop()) if len(applications) == 1 else None


def show_as(request: HttpRequest, application: Application | None) -> None:
    """Give the page that `request` asks for the brand of this application."""
    request.brand = brand_of(application)  # type: ignore[attr-defined]


@PERSONS_BRANDS.add()
def brand_of_only_application(person: User) -> Brand | None:
    """The brand of the one application that the person's connections are of, in one query."""
    theirs = Q(owner=person) | Q(owner=None, claimant=person)
    connections = Connection.objects.filter(theirs, application=OuterRef("pk"))
    found = list(Application.objects.filter(Exists(connections))[:2])
    return brand_of(found[0]) if len(found) == 1 else None
