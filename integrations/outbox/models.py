"""The outbox's tables: outgoing calls, every attempt at them, the shared call budget, stopped tokens."""

from django.db import models
from django.utils import timezone

from partner_portal.core.english import english as _
from partner_portal.core.json_field import JSONField


class CallState(models.TextChoices):
    """The life of an outgoing call (docs/architecture.md)."""

    HELD = "held", _("held back")  # waits for staff
    QUEUED = "queued", _("queued")  # waits for a worker
    SENDING = "sending", _("being sent")  # a worker holds it, until its lease ends
    UNCONFIRMED = "unconfirmed", _("unconfirmed")  # it may have happened: Altegio is asked before anything is sent
    DONE = "done", _("done")  # Altegio accepted it
    REFUSED = "refused", _("refused")  # Altegio said no
    EXPIRED = "expired", _("expired")  # its deadline passed
    CANCELLED = "cancelled", _("cancelled")  # it is no longer needed


WAITING = (CallState.QUEUED, CallState.UNCONFIRMED)
# No worker has them: they may be cancelled, or end with their deadline.
IDLE = (CallState.HELD, *WAITING)
UNFINISHED = (CallState.HELD, CallState.QUEUED, CallState.SENDING, CallState.UNCONFIRMED)


class Priority(models.IntegerChoices):
    """The order of calls when the budget is short; lower goes first."""

    ACTIVATION = 0, _("activation")
    NOTIFICATION = 10, _("call notification")
    CHECK = 20, _("question")
    MONEY = 30, _("payment or refund")
    SETUP = 40, _("setup")
    UNPROVEN = 45, _("activation, nothing proven")
    BULK = 50, _("bulk")
    HOUSEKEEPING = 60, _("housekeeping")


class OutgoingCall(models.Model):
    """One call to Altegio, created in the transaction of the change that it is about."""

    kind = models.CharField(_("kind"), max_length=40)
    key = models.CharField(_("key"), max_length=200, unique=True)
    ordering_key = models.CharField(_("ordering key"), max_length=80, blank=True)
    # At most one of the calls with the same value is queued: it will send the newest state.
    coalesce_key = models.CharField(max_length=80, blank=True)
    connection = models.ForeignKey(
        "connections.Connection", on_delete=models.CASCADE, null=True, blank=True, related_name="calls"
    )
    params = JSONField(_("parameters"), default=dict, blank=True)
    priority = models.SmallIntegerField(_("priority"), choices=Priority.choices)
    # Within a priority lower turns go first: so a large arrival, a file or a backlog holds up nobody else.
    turn = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    state = models.CharField(_("state"), max_length=12, choices=CallState.choices, default=CallState.QUEUED)
    deadline_at = models.DateTimeField(_("deadline"), null=True, blank=True)
    due_at = models.DateTimeField(_("due"), default=timezone.now)
    lease = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    attempt_count = models.PositiveIntegerField(_("attempts"), default=0)
    setbacks = models.PositiveIntegerField(_("setbacks"), default=0)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    refusal_code = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)
    # The host that is tried after the other one answered that it does not have this call; "" before.
    host = models.CharField(max_length=3, blank=True, default="", db_default="", editable=False)
    request_id = models.CharField(_("request id"), max_length=32, blank=True)
    created_at = models.DateTimeField(_("queued"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    connection_id: int | None

    class Meta:
        verbose_name = _("outgoing call")
        verbose_name_plural = _("outgoing calls")
        constraints = [
            models.UniqueConstraint(
                fields=["coalesce_key"],
                condition=models.Q(state=CallState.QUEUED) & ~models.Q(coalesce_key=""),
                name="one_queued_call_with_a_coalesce_key",
            ),
            models.UniqueConstraint(
                fields=["connection"],
                condition=models.Q(kind="activate", state__in=UNFINISHED),
                name="one_unfinished_activation",
            ),
        ]
        indexes = [
            models.Index(
                fields=["priority", "turn", "deadline_at", "id"],
                condition=models.Q(state__in=WAITING),
                name="call_waiting_in_turn",
            ),
            # Two indexes: in the full one PostgreSQL would read every call that an ordering key has ever had, and
            # SQLite does not see that a parameter fits the condition of the partial one.
            models.Index(fields=["ordering_key", "state", "id"], name="call_by_ordering_key"),
            models.Index(
                fields=["ordering_key", "id"],
                condition=models.Q(state__in=UNFINISHED),
                name="call_unfinished_by_order_key",
            ),
            # For whether a call of a kind waits: without it PostgreSQL would scan the table and expect an early hit.
            models.Index(fields=["kind"], condition=models.Q(state__in=UNFINISHED), name="call_unfinished_of_kind"),
            models.Index(fields=["lease_until"], condition=models.Q(state=CallState.SENDING), name="call_being_sent"),
            models.Index(
                fields=["deadline_at"],
                condition=models.Q(state__in=IDLE),
                name="call_running_out",
            ),
            models.Index(fields=["state", "-id"], name="call_by_state"),
            # Covers all columns that the metrics count, so that they read no row.
            models.Index(
                fields=["finished_at", "kind", "state"],
                condition=models.Q(finished_at__isnull=False),
                name="call_finished",
            ),
            models.Index(fields=["kind", "-id"], name="call_by_kind"),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def is_finished(self) -> bool:
        return self.state not in UNFINISHED


class Attempt(models.Model):
    """One HTTP exchange for a call, written before it is made and completed after it; secrets are masked."""

    class Purpose(models.TextChoices):
        SEND = "send", _("sent")
        ASK = "ask", _("asked")

    call = models.ForeignKey(OutgoingCall, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    purpose = models.CharField(_("purpose"), max_length=4, choices=Purpose.choices)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    method = models.CharField(max_length=6, blank=True)
    url = models.CharField(max_length=500, blank=True)
    request_body = models.TextField(blank=True)
    status_code = models.PositiveSmallIntegerField(_("HTTP status"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=12, blank=True)
    message = models.CharField(_("message"), max_length=500, blank=True)
    response_body = models.TextField(blank=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["call", "number"], name="one_attempt_of_a_number")]
        indexes = [models.Index(fields=["-started_at"], name="attempt_newest")]

    def __str__(self) -> str:
        return f"{self.call_id}/{self.number}"


class RateBudget(models.Model):
    """The call budget shared by all workers: when each call of the last minute was made, newest last."""

    name = models.CharField(max_length=20, primary_key=True)
    stamps = models.JSONField(default=list)
    pause_until = models.FloatField(default=0)

    def __str__(self) -> str:
        return self.name


class KnownHost(models.Model):
    """The host on which a kind of call worked last, for kinds that the sources name under both."""

    kind = models.CharField(max_length=40, primary_key=True)
    host = models.CharField(max_length=3)

    def __str__(self) -> str:
        return f"{self.kind}: {self.host}"


class TokenStop(models.Model):
    """A token that Altegio refused with 401: its calls wait until the token changes or staff clear this."""

    fingerprint = models.CharField(max_length=64, primary_key=True)
    since = models.DateTimeField(default=timezone.now)
    message = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name = _("stopped token")
        verbose_name_plural = _("stopped tokens")

    def __str__(self) -> str:
        return self.fingerprint[:12]
