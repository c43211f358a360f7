"""The model of drift: differences between what Altegio sends and what docs/altegio.md says."""

from django.db import models
from django.utils import timezone

from integrations.altegio.contract.differences import MAX_PATH, MAX_SAMPLE, MAX_WORD, Kind
from partner_portal.core.english import english as _


class Drift(models.Model):
    """One difference from the contract, with its count; `sample` shows the form of what came, but not its content."""

    class Kinds(models.TextChoices):
        CODE = Kind.CODE, _("another status code")
        FIELD = Kind.FIELD, _("an unknown field")
        MISSING = Kind.MISSING, _("a field is missing")
        TYPE = Kind.TYPE, _("another type of value")
        VALUE = Kind.VALUE, _("an unknown value")

    subject = models.CharField(_("call or callback"), max_length=40)
    kind = models.CharField(_("what differs"), max_length=8, choices=Kinds.choices)
    path = models.CharField(_("where"), max_length=MAX_PATH, blank=True)
    value = models.CharField(_("value"), max_length=MAX_WORD, blank=True)
    sample = models.CharField(_("form of the first one"), max_length=MAX_SAMPLE, blank=True)
    count = models.PositiveBigIntegerField(_("times"), default=0)
    first_seen_at = models.DateTimeField(_("first seen"), default=timezone.now)
    last_seen_at = models.DateTimeField(_("last seen"), default=timezone.now)
    known_at = models.DateTimeField(_("marked as known"), null=True, blank=True)

    class Meta:
        verbose_name = _("difference from the contract")
        verbose_name_plural = _("differences from the contract")
        constraints = [
            models.UniqueConstraint(fields=["subject", "kind", "path", "value"], name="one_row_of_a_drift")
        ]

    def __str__(self) -> str:
        where = " ".join(filter(None, (self.path, self.value)))
        return f"{self.subject}: {self.get_kind_display()} {where}".strip()
