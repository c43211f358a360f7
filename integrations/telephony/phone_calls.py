"""Saved calls: each reaches Altegio's call history, and reaches it once.

Altegio takes no idempotency key, but a call has its `call_id`; one that comes without gets ours. After an
uncertain end Altegio's call list is asked where staff have set a user token for a location of the chain
(the list needs one). Where it cannot be asked the call is sent again with the same `call_id`, by which
Altegio knows it: a call told twice under one id is one call, a call not told is lost.
"""

import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from integrations.altegio import requests
from integrations.altegio.answers import Answer, Outcome, read_list
from integrations.altegio.requests import ApiRequest
from integrations.connections.models import Chain
from integrations.outbox.call_kinds import CallKind, CannotTell, Happened, ObsoleteError, SendAgain, Verdict, register
from integrations.outbox.models import OutgoingCall, Priority
from integrations.outbox.queue import new_call, queue, queue_fresh
from integrations.telephony.models import PhoneCall
from integrations.user_tokens.models import UserToken
from partner_portal.core.datetimes import write_moment
from partner_portal.core.english import english as _

# The list is asked by days, in whatever zone Altegio reads them.
AROUND = timedelta(days=1)


def save_call(chain: Chain, *, call_id: str = "", **fields: Any) -> tuple[PhoneCall, bool]:
    """Keep a call and queue it for Altegio. Returns it, and whether it is new: `call_id` is unique in a chain."""
    try:
        with transaction.atomic():
            saved = PhoneCall.objects.create(chain=chain, call_id=call_id or uuid.uuid4().hex, **fields)
            queue_fresh([CallHistory.new(saved)])
    except IntegrityError:
        return PhoneCall.objects.get(chain=chain, call_id=call_id), False
    return saved, True


def keep_call(chain: Chain, *, call_id: str = "", **fields: Any) -> tuple[PhoneCall, bool]:
    """Keep a call that cannot be told, because its caller hides: Altegio wants a number. Otherwise as `save_call`."""
    kept = {**fields, "state": PhoneCall.State.KEPT}
    return PhoneCall.objects.get_or_create(chain=chain, call_id=call_id or uuid.uuid4().hex, defaults=kept)


@transaction.atomic
def send_again(saved_id: int) -> bool:
    """Try a refused call once more, as staff ask for. Returns whether it was refused."""
    saved = PhoneCall.objects.select_for_update(no_key=True).get(pk=saved_id)
    if saved.state != PhoneCall.State.FAILED:
        return False
    saved.state, saved.error, saved.attempt_count = PhoneCall.State.QUEUED, "", saved.attempt_count + 1
    saved.save(update_fields=["state", "error", "attempt_count"])
    queue([CallHistory.new(saved)])
    return True


@register
class CallHistory(CallKind):
    """docs/altegio.md §2, call saved."""

    name = "call_history"
    title = _("Saved phone call")
    priority = Priority.BULK
    uses_own_credential = True
    alert_on_failure = True

    @classmethod
    def new(cls, saved: PhoneCall) -> OutgoingCall:
        """The call that tells of this one; once for each try of staff's."""
        return new_call(cls, f"call_history:{saved.pk}:{saved.attempt_count}", phone_call=saved.pk)

    def request(self, call: OutgoingCall) -> ApiRequest:
        saved = _saved(call)
        return requests.phone_call(saved.chain.crm_token, on_the_wire(saved))

    def verify_before_retry(self, call: OutgoingCall) -> bool:
        return _user_token(_saved(call)) is not None

    def question(self, call: OutgoingCall) -> ApiRequest:
        """The calls with this number around its day."""
        saved = _saved(call)
        token = _user_token(saved)
        if token is None:
            raise ObsoleteError("The user token was removed while it was needed.")
        day = saved.date or saved.received_at
        return requests.call_list(
            token.token,
            salon_id=token.location.altegio_id,
            date_from=(day - AROUND).date().isoformat(),
            date_to=(day + AROUND).date().isoformat(),
            phone=saved.phone,
            page=1,
        )

    def judge(self, call: OutgoingCall, answer: Answer) -> Verdict:
        """A refused question (the user token may be void) leaves the `call_id` to tell the two apart."""
        if answer.outcome is Outcome.UNKNOWN:
            return CannotTell()
        call_id = _saved(call).call_id
        there = any(str(row.get("call_id")) == call_id for row in read_list(answer))
        return Happened() if there else SendAgain()

    def accepted(self, call: OutgoingCall, answer: Answer) -> None:
        self._learn(call, PhoneCall.State.SAVED, "")

    def refused(self, call: OutgoingCall, reason: str, answer: Answer) -> None:
        self._learn(call, PhoneCall.State.FAILED, reason)

    def _learn(self, call: OutgoingCall, state: PhoneCall.State, error: str) -> None:
        PhoneCall.objects.filter(pk=call.params["phone_call"]).update(state=state, error=error[:500])


def on_the_wire(saved: PhoneCall) -> dict[str, Any]:
    """The call as Altegio takes it; the time with its zone, ours where the exchange gave none."""
    return {
        "type": saved.type,
        "phone": saved.phone,
        "diversion": saved.diversion,
        "user": saved.user,
        "duration": saved.duration,
        "link": saved.link,
        "call_id": saved.call_id,
        "status": saved.status,
        "date": write_moment(saved.date or saved.received_at, settings.ALTEGIO_TIME_ZONE),
    }


def _saved(call: OutgoingCall) -> PhoneCall:
    return PhoneCall.objects.select_related("chain").get(pk=call.params["phone_call"])


def _user_token(saved: PhoneCall) -> UserToken | None:
    return UserToken.objects.select_related("location").filter(location__chain=saved.chain_id).first()
