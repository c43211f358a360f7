"""Installation: an application at a location, whoever is connected there."""

import secrets
from typing import TYPE_CHECKING, Self, TypeVar

from django.db import models

from integrations.connections.models.application import Application
from integrations.connections.models.location import Location
from partner_portal.core.encryption import EncryptedTextField, lookup_hash

if TYPE_CHECKING:
    from integrations.connections.models.connection import Connection


class Installation(models.Model):
    """One application at one location, to which everything belongs that outlives its connections.

    It holds the keys that are sent with an activation, stored before they are sent. Altegio keeps the first it got
    (docs/altegio.md §2), so a reconnection sends the same ones.
    """

    application = models.ForeignKey(Application, on_delete=models.PROTECT)
    location = models.ForeignKey(Location, on_delete=models.PROTECT)
    api_key = EncryptedTextField()
    api_key_hash = models.CharField(max_length=64, unique=True)
    events_key = EncryptedTextField()
    events_key_hash = models.CharField(max_length=64, unique=True)

    application_id: int
    location_id: int

    class Meta:
        constraints = [models.UniqueConstraint(fields=["application", "location"], name="one_installation")]

    def __str__(self) -> str:
        return f"{self.application} · {self.location}"

    @classmethod
    def fresh(cls, application: Application, location: Location) -> Self:
        """Return a new, unsaved installation with new unguessable keys."""
        return cls(application=application, location=location, **_fresh_keys())

    @classmethod
    def at(cls, application: Application, location: Location) -> "Installation":
        """Return the installation of this application at this location, created on first use."""
        found, _made = cls.objects.get_or_create(application=application, location=location, defaults=_fresh_keys())
        return found


def _fresh_keys() -> dict[str, str]:
    api_key, events_key = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    return {
        "api_key": api_key,
        "api_key_hash": lookup_hash(api_key),
        "events_key": events_key,
        "events_key_hash": lookup_hash(events_key),
    }


M = TypeVar("M", bound="OfInstallation", covariant=True)


class OfInstallationQuerySet(models.QuerySet[M]):
    """A queryset of rows that belong to an installation."""

    def of(self, connection: "Connection") -> Self:
        """Return the rows of the connection's application and location, by the one unique index."""
        return self.filter(
            installation__application=connection.application_id, installation__location=connection.location_id
        )


class OfInstallation(models.Model):
    """A row that belongs to an installation, so that it outlives each connection there."""

    installation = models.ForeignKey(Installation, on_delete=models.PROTECT, related_name="+")

    installation_id: int

    objects = OfInstallationQuerySet.as_manager()

    class Meta:
        abstract = True
