"""Whether Altegio has the newest state of a row that is ours to send."""

from django.db import models

from partner_portal.core.english import english as _


class SyncState(models.TextChoices):
    """The sync state of a row (docs/interface.md, `sync_state`)."""

    QUEUED = "queued", _("on its way")  # a call with the newest state is waiting or being sent
    SYNCED = "synced", _("at Altegio")  # Altegio accepted the newest state
    FAILED = "failed", _("refused")  # Altegio refused it, or it cannot be sent


class Synced(models.Model):
    """A row whose newest state is sent to Altegio."""

    sync_state = models.CharField(
        _("sync state"), max_length=6, choices=SyncState.choices, default=SyncState.SYNCED, editable=False
    )
    sync_error = models.CharField(_("why not"), max_length=500, blank=True, editable=False)

    class Meta:
        abstract = True

    def set_sync(self, state: SyncState, error: str = "") -> None:
        """Record whether Altegio has the newest state, or why not."""
        self.sync_state, self.sync_error = state, error[:500]
        self.save(update_fields=["sync_state", "sync_error"])
