"""Models of a reconciliation's report: when it ran, what it compared, what it found."""

from django.db import models
from django.utils import timezone

from partner_portal.core.english import english as _


class Reconciliation(models.Model):
    """One comparison of all connections with Altegio."""

    class Trigger(models.TextChoices):
        NIGHTLY = "nightly", _("every night")
        COMMAND = "command", _("manage.py reconcile")

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        ABANDONED = "abandoned", _("given up")  # it did not end, and a later run or the watch gave it up

    trigger = models.CharField(_("started by"), max_length=10, choices=Trigger.choices)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.RUNNING)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    # How many applications' lists have not been read to the end yet.
    lists_left = models.PositiveIntegerField(default=0, editable=False)
    expected = models.PositiveIntegerField(_("connected here"), default=0)
    # How many connections may still be asked about, and the newest question: the run ends with its answer.
    statuses_left = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    last_question = models.BigIntegerField(default=0, db_default=0, editable=False)
    listed = models.PositiveIntegerField(_("listed by Altegio"), default=0)
    calls = models.PositiveIntegerField(_("calls"), default=0)

    class Meta:
        verbose_name = _("reconciliation")
        verbose_name_plural = _("reconciliations")
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=models.Q(state="running"), name="one_running_reconciliation"
            )
        ]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"


class Finding(models.Model):
    """One difference that a reconciliation found, and its outcome."""

    class Kind(models.TextChoices):
        MISSING = "missing", _("connected here, not listed by Altegio")
        FREEZE = "freeze", _("frozen at one side only")
        ENDED = "ended", _("ended at Altegio, and nobody told")
        ALIVE = "alive", _("listed by Altegio, ended here")
        UNKNOWN = "unknown", _("listed by Altegio, never arrived here")
        TITLE = "title", _("another title")
        DIFFERENCE = "difference", _("payments or other records differ")
        LIST = "list", _("Altegio did not give its list")

    run = models.ForeignKey(Reconciliation, on_delete=models.CASCADE, related_name="findings")
    application = models.ForeignKey("connections.Application", on_delete=models.CASCADE, related_name="+")
    connection = models.ForeignKey(
        "connections.Connection", on_delete=models.CASCADE, null=True, blank=True, related_name="findings"
    )
    salon_id = models.BigIntegerField(_("Altegio's location id"), null=True, blank=True)
    kind = models.CharField(_("what"), max_length=10, choices=Kind.choices)
    before = models.CharField(_("before"), max_length=300, blank=True)
    after = models.CharField(_("after"), max_length=300, blank=True)
    needs_person = models.BooleanField(_("needs a person"), default=False)
    # None until Altegio has answered the question about it.
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)

    class Meta:
        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        indexes = [
            models.Index(fields=["connection"], condition=models.Q(settled_at=None), name="finding_open"),
            models.Index(fields=["run", "kind"], name="finding_of_run"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.salon_id or '–'}"
