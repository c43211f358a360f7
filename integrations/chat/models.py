"""Models of what a chat bot sends to Altegio: the address of its panel at a location, and signals about messages."""

from django.db import models
from django.utils import timezone

from integrations.connections.models import Connection, OfInstallation, Synced
from partner_portal.core.encryption import EncryptedTextField
from partner_portal.core.english import english as _


class ChatPanel(OfInstallation, Synced):
    """The page that Altegio shows as the chat panel of a location; "" for none."""

    url = models.CharField(_("address"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("chat panel")
        verbose_name_plural = _("chat panels")
        constraints = [models.UniqueConstraint(fields=["installation"], name="one_chat_panel")]
        indexes = [models.Index(fields=["id"], condition=models.Q(sync_state="queued"), name="chat_panel_queued")]

    def __str__(self) -> str:
        return str(self.installation)


class ChatSignal(models.Model):
    """Something that a client wrote, shown to the location's people. Its words are stored until Altegio has them."""

    class Kind(models.TextChoices):
        NEW_MESSAGE = "new_message", _("new message")
        TOGGLE_HIGHLIGHT = "toggle_highlight", _("highlight on or off")

    class State(models.TextChoices):
        QUEUED = "queued", _("on its way")
        SENT = "sent", _("at Altegio")
        FAILED = "failed", _("refused")  # or it came too late, or nobody knows

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="chat_signals")
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    phone = EncryptedTextField(_("phone"), blank=True)
    name = EncryptedTextField(_("name"), blank=True)
    message = EncryptedTextField(_("message"), blank=True)
    state = models.CharField(_("state"), max_length=6, choices=State.choices, default=State.QUEUED)
    error = models.CharField(_("why not"), max_length=500, blank=True)
    received_at = models.DateTimeField(_("received"), default=timezone.now)

    connection_id: int

    class Meta:
        verbose_name = _("chat signal")
        verbose_name_plural = _("chat signals")
        indexes = [
            models.Index(fields=["id"], condition=models.Q(state="queued"), name="chat_signal_queued"),
            models.Index(fields=["state", "-id"], name="chat_signal_by_state"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    def end(self, state: State, error: str = "") -> None:
        """Store the outcome and delete the words: the partner has them, and so does Altegio if it took them."""
        ended = ChatSignal.objects.filter(pk=self.pk)
        ended.update(state=state, error=error[:500], phone="", name="", message="")
