"""Phone calls of a chain whose telephony is off: Altegio would accept and ignore them (docs/altegio.md §2).

They are kept for a day, and sent if the telephony is switched on in that time.
"""

from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from integrations.connections.models import Chain
from integrations.outbox.queue import queue_fresh
from integrations.telephony.models import PhoneCall
from integrations.telephony.phone_calls import CallHistory
from partner_portal.core.english import english as _
from partner_portal.core.queues import Queue

KEPT_FOR = timedelta(days=1)
LONG_OVER = timedelta(minutes=10)
MAX_COUNT = 500
KEPT = Queue.register(Queue("kept phone calls", "Chains with kept phone calls", Chain))
KEPT_TOO_LONG = Queue.register(Queue("phone calls kept too long", "Phone calls kept for a day", PhoneCall))
TOO_LATE = _("The chain's telephony was off for a day. Send the call again once it is on.")

_WHY = {
    Chain.Telephony.OFF: _("The telephony of this chain is switched off: it has no live connection."),
    Chain.Telephony.DISABLING: _("The telephony of this chain is being switched off: it has no live connection."),
    Chain.Telephony.FAILED: _("Altegio did not switch the telephony of this chain: {error}"),
}
BEING_SWITCHED_ON = _("The telephony of this chain is being switched on.")
_KEPT = _("The call is kept, and sent if the telephony is on again within a day.")


def why_silent(chain: Chain) -> str:
    """Return why Altegio ignores this chain's calls; "" if it records them or soon will."""
    return str(_WHY.get(Chain.Telephony(chain.telephony), "")).format(error=chain.telephony_error)


def why_kept(chain: Chain) -> str:
    """Return why a call of this chain is kept instead of sent now; "" if it can be sent."""
    why = BEING_SWITCHED_ON if chain.telephony == Chain.Telephony.ENABLING else why_silent(chain)
    return f"{why} {_KEPT}" if why else ""


def settle_kept() -> int:
    """Send the kept calls of chains that are on by now, and fail those kept for a day; return the number of items.

    Beat calls this because a call may be kept at the very moment at which its chain is switched on.
    """
    kept = PhoneCall.objects.filter(state=PhoneCall.State.KEPT, kept_until__isnull=False)
    free = set(kept.filter(chain__telephony=Chain.Telephony.ON).values_list("chain", flat=True)[:MAX_COUNT])
    released = KEPT.work_each(Chain.objects.filter(pk__in=free), lambda chain: release_kept(chain.pk))
    overdue = KEPT_TOO_LONG.ready(kept.filter(kept_until__lte=timezone.now())).order_by("pk")[:MAX_COUNT]
    return released + KEPT_TOO_LONG.work_each(list(overdue), end_kept)


def forgotten(now: datetime) -> QuerySet[PhoneCall]:
    """Return the kept calls whose time ended more than `LONG_OVER` ago."""
    return PhoneCall.objects.filter(state=PhoneCall.State.KEPT, kept_until__lt=now - LONG_OVER)


def release_kept(chain_id: int) -> None:
    """Queue the calls that were kept while the chain's telephony was off. Runs in the caller's transaction."""
    kept = PhoneCall.objects.select_for_update(no_key=True).filter(
        chain=chain_id, state=PhoneCall.State.KEPT, kept_until__gt=timezone.now()
    )
    calls = list(kept.order_by("pk"))
    for call in calls:
        call.state, call.error, call.kept_until = PhoneCall.State.QUEUED, "", None
    PhoneCall.objects.bulk_update(calls, ["state", "error", "kept_until"], batch_size=200)
    queue_fresh([CallHistory.new(call) for call in calls])


def end_kept(found: PhoneCall) -> None:
    """Mark a kept call whose day is over as failed; it may be sent again by hand."""
    call = PhoneCall.objects.select_for_update(no_key=True).get(pk=found.pk)
    if call.state == PhoneCall.State.KEPT and call.kept_until and call.kept_until <= timezone.now():
        call.state, call.error, call.kept_until = PhoneCall.State.FAILED, TOO_LATE, None
        call.save(update_fields=["state", "error", "kept_until"])
