"""Delivery of phone calls to Altegio's call history: each one reaches it, and only once.

Altegio takes no idempotency key, and no source says that it recognizes a call by its `call_id` (docs/altegio.md §7).
After an uncertain end the portal asks Altegio's call list, if a user token is known for a location of the chain (the
list needs one). Otherwise the call has failed, and staff, `/retry/` or a report with other content send it again;
with `TELEPHONY_RESEND_UNCONFIRMED` it is sent once more automatically.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from integrations.altegio import requests
from integrations.altegio.answers import Answer, Outcome, read_list
from integrations.altegio.requests import ApiRequest
from integrations.connections.models import Connection
from integrations.outbox.attempts import sent_attempts
from integrations.outbox.call_kinds import (
    AskAgain,
    CallKind,
    CannotTell,
    Happened,
    NotToHappen,
    SendAgain,
    UnverifiableError,
    Verdict,
    kind_of,
    register,
)
from integrations.outbox.models import Attempt, OutgoingCall, Priority
from integrations.outbox.queue import new_call, queue
from integrations.outbox.settling import settled_at
from integrations.telephony.held_content import last_sent, restore
from integrations.telephony.models import PhoneCall
from integrations.user_tokens.tokens import has_token, token_at
from partner_portal.core.datetimes import write_moment
from partner_portal.core.english import english as _

# The list is filtered by days, and no source says in which time zone: a day on either side covers each zone.
AROUND = timedelta(days=1)
# The list holds three days of calls with one number; no salon has more pages than this.
MAX_PAGES = 40
# Only a loop sends a call so often: each round costs a call to Altegio, and is looked through at the next.
MAX_ATTEMPTS, MAX_ATTEMPTS_OF_STAFF = 1000, 30_000
NOBODY_KNOWS = _(
    "Altegio gave no answer and may hold this call or not, and no user token is known to ask with. If Altegio's call "
    "history does not show it, send it again from the admin or by POST …/retry/: telling it once more sends nothing."
)
TRIED_TOO_OFTEN = _(
    "It was sent {count} times, and Altegio has not taken it: ask Altegio why. Once the cause is mended, staff may "
    "send it again."
)


def why_not_again(saved: PhoneCall) -> str:
    """Return why no system may send this failed call once more; "" where one may."""
    return TRIED_TOO_OFTEN.format(count=saved.attempt_count) if saved.attempt_count >= MAX_ATTEMPTS else ""


@transaction.atomic
def send_again(saved_id: int, *, by_staff: bool = False) -> bool:
    """Send a failed call once more. Returns whether it is sent: it had failed, and not too often.

    Raises PhoneCall.DoesNotExist.
    """
    saved = PhoneCall.objects.select_for_update(no_key=True).get(pk=saved_id)
    most = MAX_ATTEMPTS_OF_STAFF if by_staff else MAX_ATTEMPTS
    if saved.state != PhoneCall.State.FAILED or saved.attempt_count >= most:
        return False
    saved.state, saved.error = PhoneCall.State.QUEUED, ""
    saved.attempt_count += 1
    saved.save(update_fields=["state", "error", "attempt_count"])
    queue([CallHistory.new(saved)])
    return True


def can_be_asked(chains: Collection[int]) -> set[int]:
    """Return the chains whose call list can be read, because a user token is known for one of their locations."""
    if not chains:
        return set()
    live = Connection.objects.live().filter(has_token(), location__chain__in=chains)
    return set(live.values_list("location__chain", flat=True))


@register
class CallHistory(CallKind):
    """An outgoing call that adds a phone call to Altegio's call history (docs/altegio.md §2, call saved)."""

    name = "call_history"
    title = _("Saved phone call")
    priority = Priority.BULK
    yes_is_enough = True
    uses_own_credential = True
    alert_on_failure = True

    @staticmethod
    def key_of(saved: PhoneCall, attempt: int | None = None) -> str:
        """Return the unique key of the outgoing call for this phone call's newest (or the given) attempt."""
        return f"call_history:{saved.pk}:{attempt or saved.attempt_count}"

    @classmethod
    def keys_of(cls, saved: PhoneCall) -> list[str]:
        """Return the keys of all outgoing calls made for this phone call."""
        return [cls.key_of(saved, attempt) for attempt in range(1, saved.attempt_count + 1)]

    @classmethod
    def new(cls, saved: PhoneCall, rest: timedelta = timedelta()) -> OutgoingCall:
        """Return a new outgoing call for this phone call, due after `rest`.

        It goes after the relays of SMS statuses, each of which carries up to a thousand in one call.
        """
        call = new_call(cls, cls.key_of(saved), phone_call=saved.pk)
        call.turn = 1
        call.due_at += rest
        return call

    def request(self, call: OutgoingCall) -> ApiRequest:
        saved = _saved(call)
        return requests.phone_call(saved.chain.crm_token, on_the_wire(saved))

    def must_ask(self, call: OutgoingCall) -> bool:
        """Return whether an earlier round is unconfirmed, was not asked about in this one, and can be asked about."""
        saved = PhoneCall.objects.filter(pk=call.params["phone_call"], is_unconfirmed=True).first()
        if saved is None or call.attempts.filter(purpose=Attempt.Purpose.ASK).exists():
            return False
        return bool(can_be_asked([saved.chain_id]))

    def verify_before_retry(self, call: OutgoingCall) -> bool:
        """Return True, unless Altegio cannot be asked and the partner allows one resend."""
        return _user_token(_saved(call)) is not None or not _may_repeat(call)

    def question(self, call: OutgoingCall) -> ApiRequest:
        """Return the request for a page of the call list: calls with the number last sent, around their day.

        Raises UnverifiableError if no user token is known.
        """
        saved, sent = _saved(call), last_sent(self.rounds(call))
        asking = _user_token(saved)
        if asking is None:
            raise UnverifiableError(NOBODY_KNOWS)
        token, salon_id = asking
        day = datetime.fromisoformat(sent["date"]) if sent.get("date") else saved.date or saved.received_at
        return requests.call_list(
            token,
            salon_id=salon_id,
            date_from=(day - AROUND).date().isoformat(),
            date_to=(day + AROUND).date().isoformat(),
            phone=sent.get("phone") or saved.phone,
            page=_pages_read(call) + 1,
        )

    def rounds(self, call: OutgoingCall) -> QuerySet[OutgoingCall]:
        return OutgoingCall.objects.filter(key__in=self.keys_of(_saved(call)))

    def judge(self, call: OutgoingCall, answer: Answer) -> Verdict:
        """Decide by the call list: it happened, ask for the next page while pages are full, or send again.

        A refused question (the user token may be void) proves nothing.
        """
        if answer.outcome is Outcome.UNKNOWN:
            return CannotTell()
        if answer.outcome is not Outcome.ACCEPTED:
            return SendAgain() if _may_repeat(call) else NotToHappen(NOBODY_KNOWS)
        saved, rows = _saved(call), read_list(answer)
        if any(str(row.get("call_id")) == saved.call_id for row in rows):
            restore(saved, last_sent(self.rounds(call)), on_the_wire(saved))
            return Happened()
        if len(rows) >= requests.CALL_LIST_PAGE and _pages_read(call) < MAX_PAGES:
            return AskAgain(0, "It does not stand on this page of Altegio's call list.")
        return SendAgain()

    def accepted(self, call: OutgoingCall, answer: Answer) -> None:
        self._learn(call, PhoneCall.State.SAVED, "")

    def refused(self, call: OutgoingCall, reason: str, answer: Answer) -> None:
        may_stand_there = settled_at(self.rounds(call)) is not None
        self._learn(call, PhoneCall.State.FAILED, reason, is_unconfirmed=may_stand_there)

    def bring_back(self, call: OutgoingCall) -> bool:
        saved = PhoneCall.objects.select_for_update(no_key=True).filter(pk=call.params["phone_call"]).first()
        if saved is None or saved.state == PhoneCall.State.SAVED or call.key != self.key_of(saved):
            return False
        self._learn(call, PhoneCall.State.QUEUED, is_unconfirmed=saved.is_unconfirmed)
        return True

    def _learn(
        self, call: OutgoingCall, state: PhoneCall.State, error: str = "", *, is_unconfirmed: bool = False
    ) -> None:
        PhoneCall.objects.filter(pk=call.params["phone_call"]).update(
            state=state, error=error[:500], is_unconfirmed=is_unconfirmed
        )


def _pages_read(call: OutgoingCall) -> int:
    """Return how many pages of the list were read since Altegio had certainly finished what was last sent."""
    asked = call.attempts.filter(purpose=Attempt.Purpose.ASK, outcome=Outcome.ACCEPTED)
    settled = settled_at(kind_of(call).rounds(call))
    return asked.count() if settled is None else asked.filter(started_at__gte=settled).count()


def _may_repeat(call: OutgoingCall) -> bool:
    """Return whether the partner prefers a doubled call to a lost one, and this one was sent at most once so far."""
    return settings.TELEPHONY_RESEND_UNCONFIRMED and sent_attempts(call).count() < 2


def on_the_wire(saved: PhoneCall) -> dict[str, Any]:
    """Return the call's fields for Altegio; a call without a time gets the moment at which the portal received it."""
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


def _user_token(saved: PhoneCall) -> tuple[str, int] | None:
    """Return a user token that may read the chain's calls, and its location's Altegio id; None if none is known."""
    in_chain = Connection.objects.live().filter(has_token(), location__chain=saved.chain_id)
    connection = in_chain.select_related("location").order_by("pk").first()
    if connection is None:
        return None
    return token_at(connection.application_id, connection.location_id), connection.location.altegio_id
