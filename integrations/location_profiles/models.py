"""Models of what Altegio shows of a location to a user token: its profile, and the people who run it."""

from django.db import models
from django.utils import timezone

from integrations.connections.models import Location
from partner_portal.core.english import english as _


class LocationProfile(models.Model):
    """The data of a location that only a call with a user token shows, and when it was and will be fetched."""

    location = models.OneToOneField(Location, on_delete=models.CASCADE, related_name="profile")
    currency = models.CharField(_("currency"), max_length=20, blank=True)
    fetched_at = models.DateTimeField(_("fetched"), null=True, blank=True)
    error = models.CharField(_("why not"), max_length=500, blank=True)
    # When it is fetched next, if there is a token by then.
    due_at = models.DateTimeField(_("due"), default=timezone.now)

    class Meta:
        verbose_name = _("location profile")
        verbose_name_plural = _("location profiles")
        indexes = [models.Index(fields=["due_at"], name="location_profile_due")]

    def __str__(self) -> str:
        return str(self.location)


class LocationPerson(models.Model):
    """A person at the location with the right that Altegio requires to connect an application."""

    location = models.ForeignKey(Location, on_delete=models.CASCADE, related_name="people")
    altegio_user_id = models.BigIntegerField(_("Altegio user"), db_index=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    email = models.CharField(_("e-mail"), max_length=254, blank=True)
    phone = models.CharField(_("phone"), max_length=100, blank=True)
    fetched_at = models.DateTimeField(_("fetched"), default=timezone.now)

    class Meta:
        verbose_name = _("person of a location")
        verbose_name_plural = _("people of locations")
        constraints = [
            models.UniqueConstraint(fields=["location", "altegio_user_id"], name="one_person_of_a_location")
        ]
        indexes = [models.Index(fields=["fetched_at"], name="location_person_old")]

    def __str__(self) -> str:
        return f"#{self.altegio_user_id}"


class ErasedPerson(models.Model):
    """An Altegio user who was erased here, stored as a fingerprint alone (`erased.py`)."""

    digest = models.CharField(max_length=64, unique=True)

    def __str__(self) -> str:
        return f"#{self.pk}"
