"""Models of sender names, which appear as the sender of a location's text messages."""

from django.db import models
from django.utils import timezone

from integrations.connections.models import OfInstallation, Synced
from partner_portal.core.bidi import embedded
from partner_portal.core.english import english as _


class SenderNameList(OfInstallation, Synced):
    """The list of sender names of one application at one location. Altegio gets the whole list each time."""

    class Meta:
        verbose_name = _("list of sender names")
        verbose_name_plural = _("sender names")
        constraints = [models.UniqueConstraint(fields=["installation"], name="one_list_of_sender_names")]
        indexes = [models.Index(fields=["id"], condition=models.Q(sync_state="queued"), name="sender_names_queued")]

    def __str__(self) -> str:
        return str(self.installation)


class NameState(models.TextChoices):
    """The state of a sender name, which says why it is in force or not."""

    ASKED = "asked", _("asked for")  # the owner asked; staff decide
    GRANTED = "granted", _("granted")  # staff or the partner's own system gave it
    BOUGHT = "bought", _("bought")  # paid for
    REFUSED = "refused", _("refused")  # staff refused the owner's request
    WITHDRAWN = "withdrawn", _("withdrawn")  # taken back
    RAN_OUT = "ran_out", _("ran out")  # `valid_until` has passed


IN_FORCE = (NameState.GRANTED, NameState.BOUGHT)


class SenderName(models.Model):
    """One sender name. Names that have ended stay as history."""

    list = models.ForeignKey(SenderNameList, on_delete=models.CASCADE, related_name="names")
    name = models.CharField(_("name"), max_length=15)
    state = models.CharField(_("state"), max_length=10, choices=NameState.choices)
    valid_until = models.DateTimeField(
        _("valid until"), null=True, blank=True, help_text=_("Withdrawn by itself after this time; empty: no end.")
    )
    position = models.PositiveSmallIntegerField(default=0, editable=False)
    changed_at = models.DateTimeField(_("changed"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("sender name")
        verbose_name_plural = _("single sender names")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["list", "name"],
                condition=models.Q(state__in=(NameState.ASKED, *IN_FORCE)),
                name="a_sender_name_once_in_a_list",
            )
        ]
        indexes = [
            models.Index(
                fields=["valid_until"], condition=models.Q(state__in=IN_FORCE), name="sender_name_running_out"
            ),
            models.Index(fields=["state", "-id"], name="sender_name_by_state"),
        ]

    def __str__(self) -> str:
        return embedded(self.name)
