"""The execution of one claimed call: build it, record the attempt, send or ask, record the end.

No HTTP call is made inside a transaction. A call's end and what it changes are one transaction, and only the worker
that still holds the lease may write it.
"""

from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from integrations.altegio.answers import Answer, no_answer
from integrations.altegio.client import AltegioClient, to_json
from integrations.altegio.requests import ApiRequest, Host
from integrations.contract_drift.observe import observe_answer
from integrations.outbox import rate
from integrations.outbox.answer_facts import believed_answer, facts_of
from integrations.outbox.attempts import MAX_TEXT, note_answer, yes_on_record
from integrations.outbox.call_kinds import (
    CALL_KINDS,
    AskFirstError,
    CallKind,
    ObsoleteError,
    UnverifiableError,
    kind_of,
)
from integrations.outbox.claim import Claim, lease_length
from integrations.outbox.decisions import Effect, decide
from integrations.outbox.delays import back_off_seconds, before_deadline, longest
from integrations.outbox.hosts import host_of, other_host, remember_host
from integrations.outbox.models import Attempt, CallState, OutgoingCall
from integrations.outbox.queue import wake_a_dispatcher
from integrations.outbox.signals import call_ended, call_struggles
from integrations.outbox.token_stop import stop_token
from partner_portal.core.clean import clean_line
from partner_portal.core.masking import mask
from partner_portal.core.queues import Queue

log = structlog.get_logger(__name__)


OUR_FAILURE = "The portal failed while carrying this call; see the dead letters."
# A deadlock or a short outage of the database is retried, because the answer is known.
TRIES_TO_SETTLE = 3
# A call without a deadline is retried without end, and holds up those behind it. After this long, staff get an alert.
STRUGGLES_AFTER = timedelta(hours=1)


class NoSlotError(Exception):
    """Raised when so much time passed between the claim and the send that the budget has no room for the call."""

    def __init__(self, wait: rate.Wait) -> None:
        super().__init__(wait.seconds)
        self.wait = wait


class LeaseLostError(Exception):
    """Raised when another worker has taken the call meanwhile: this one's result is dropped; the other will ask."""


def altegio_client() -> AltegioClient:
    """Return the client for the configured Altegio."""
    return AltegioClient(
        app_url=settings.ALTEGIO_APP_URL,
        api_url=settings.ALTEGIO_API_URL,
        partner_token=settings.ALTEGIO_PARTNER_TOKEN,
        timeout=settings.ALTEGIO_TIMEOUT_SECONDS,
    )


def send(request: ApiRequest) -> Answer:
    """Make a call, count the differences of its answer from the contract, and return the answer. Never raises."""
    answer = altegio_client().send(request)
    observe_answer(request, answer)
    return answer


def execute(claim: Claim, slot: rate.Slot) -> None:
    """Execute one claimed call, to the end of one HTTP exchange."""
    call = claim.call
    with structlog.contextvars.bound_contextvars(call=call.pk, kind=call.kind, request_id=call.request_id):
        try:
            _exchange(claim, slot)
        except LeaseLostError:
            log.warning("lease_lost")
        except NoSlotError as no_slot:
            log.warning("slot_lost")
            rate.settle(slot, used=False)
            _give_back(claim, no_slot.wait)
        except Exception as error:
            log.exception("call_execution_failed")
            _set_back(call, error)


def _exchange(claim: Claim, slot: rate.Slot) -> None:
    call, kind = claim.call, kind_of(claim.call)
    if claim.is_unconfirmed and kind.yes_is_enough and (yes := yes_on_record(call)) is not None:
        rate.settle(slot, used=False)
        _settle(call, kind, yes, asking=False)
        return
    asking = kind.verify_before_retry(call) if claim.is_unconfirmed else kind.must_ask(call)
    try:
        request = kind.question(call) if asking else _request(kind, call)
    except (AskFirstError, ObsoleteError, UnverifiableError) as why:
        rate.settle(slot, used=False)
        _leave_unsent(call, kind, why)
        return
    purpose = Attempt.Purpose.ASK if asking else Attempt.Purpose.SEND
    attempt, slot = _begin_attempt(call, request, purpose, slot)
    answer = believed_answer(call, kind, send(request), asking=asking)
    rate.settle(slot)
    log.info("altegio_answered", purpose=attempt.purpose, outcome=answer.outcome, status=answer.status_code)
    note_answer(attempt, answer, request)
    _settle(call, kind, answer, asking=asking, host=request.host)


def _leave_unsent(call: OutgoingCall, kind: CallKind, why: Exception) -> None:
    match why:
        case ObsoleteError():
            _end(call, CallState.CANCELLED, reason=str(why))
        case AskFirstError():
            _wait(call, CallState.UNCONFIRMED, str(why), seconds=0)
        case _:
            with transaction.atomic():
                _refuse(call, kind, str(why), no_answer(str(why)))


def _request(kind: CallKind, call: OutgoingCall) -> ApiRequest:
    request = kind.request(call)
    return replace(request, host=host_of(call)) if kind.on_either_host else request


def _begin_attempt(
    call: OutgoingCall, request: ApiRequest, purpose: Attempt.Purpose, slot: rate.Slot
) -> tuple[Attempt, rate.Slot]:
    """Renew the lease, record the attempt and start the slot, right before the send; the slot's time is set last.

    Raises LeaseLostError, or NoSlotError; then nothing is recorded, and nothing may be sent.
    """
    body = "" if request.body is None else to_json(request.body).decode()
    with transaction.atomic():
        if not _held(call).update(lease_until=timezone.now() + lease_length()):
            raise LeaseLostError
        attempt = Attempt.objects.create(
            call=call,
            number=call.attempt_count,
            purpose=purpose,
            method=request.method,
            url=mask(altegio_client().url(request), request.secrets)[:500],
            request_body=mask(body, request.secrets)[:MAX_TEXT],
        )
        started = rate.start(slot)
        if isinstance(started, rate.Wait):
            raise NoSlotError(started)
    return attempt, started


def _give_back(claim: Claim, wait: rate.Wait) -> None:
    """Let the call wait again, as it was: nothing was sent."""
    state = CallState.UNCONFIRMED if claim.is_unconfirmed else CallState.QUEUED
    try:
        _wait(claim.call, state, claim.call.reason, seconds=wait.seconds)
    except LeaseLostError:
        log.warning("lease_lost")


def _settle(call: OutgoingCall, kind: CallKind, answer: Answer, *, asking: bool, host: Host = "app") -> None:
    """Write what the answer of `host` means for the call, and all that follows from it, in one transaction.

    A refusal is final even if that fails: what Altegio has refused is not sent again because of a failure of ours.
    """
    setbacks = call.setbacks
    for tries_left in reversed(range(TRIES_TO_SETTLE)):
        call.setbacks = setbacks
        try:
            with transaction.atomic():
                _apply_answer(call, kind, answer, asking=asking, host=host)
        except LeaseLostError:
            raise
        except Exception:
            if tries_left:
                log.warning("recording_answer_failed", tries_left=tries_left, exc_info=True)
                continue
            if asking or decide(facts_of(call, kind, answer, asking=False)).effect is not Effect.REFUSED:
                raise
            _refuse_alone(call, mask(answer.message))
        return


def _refuse_alone(call: OutgoingCall, reason: str) -> None:
    """Refuse the call without its consequences, which fail: staff find it among the dead letters."""
    log.exception("refusal_consequences_failed")  # noqa: LOG004 - called where it is handled
    now = timezone.now()
    why = f"{reason} The portal failed to note what follows from this; see the log."
    _write(call, CallState.REFUSED, reason=why, due_at=now, finished_at=now)
    FAILING.bury(call.pk, clean_line(why, 300))


def _apply_answer(call: OutgoingCall, kind: CallKind, answer: Answer, *, asking: bool, host: Host) -> None:
    """Decide what the answer means (`decisions.py`), and write it: the only place that does."""
    transition = decide(facts_of(call, kind, answer, asking=asking))
    match transition.effect:
        case Effect.ACCEPTED:
            _end(call, transition.state, reason=transition.reason)
            remember_host(call)
            kind.accepted(call, answer)
            return
        case Effect.REFUSED:
            _refuse(call, kind, transition.reason, answer)
            return
        case Effect.STOP_TOKEN:
            stop_token(transition.reason)
        case Effect.OTHER_HOST:
            # The opposite of the host that answered, not of the known one, which another call may have changed.
            call.host = other_host(host)
        case Effect.PAUSE_ALL:
            rate.pause(transition.at_least)
    if answer.gave_up_waiting and not asking:
        kind.unanswered(call)
    if transition.remembers_refusal:
        call.refusal_code = answer.status_code
    state, reason, at_least, asked = transition.state, transition.reason, transition.at_least, transition.asked
    if transition.backs_off:
        _back_off(call, state, reason, at_least=at_least, asked=asked)
        _tell_of_struggle(call, reason)
    else:
        _wait(call, state, reason, seconds=longest(call, at_least=at_least, asked=asked))


def _tell_of_struggle(call: OutgoingCall, reason: str) -> None:
    long_ago = call.attempts.filter(started_at__lt=timezone.now() - STRUGGLES_AFTER)
    if call.deadline_at is None and long_ago.exists():
        call_struggles.send(sender=OutgoingCall, call=call, reason=reason)


def _refuse(call: OutgoingCall, kind: CallKind, reason: str, answer: Answer) -> None:
    _end(call, CallState.REFUSED, reason=reason)
    kind.refused(call, reason, answer)


def _back_off(
    call: OutgoingCall, state: CallState, reason: str, *, at_least: float = 0.0, asked: float | None = None
) -> None:
    pause = before_deadline(call, back_off_seconds(call.setbacks))
    seconds = max(pause, longest(call, at_least=at_least, asked=asked))
    call.setbacks += 1
    _wait(call, state, reason, seconds=seconds)


def _set_back(call: OutgoingCall, error: Exception) -> None:
    """Put the call back after a failure of our own: it is unconfirmed, because it may have been sent.

    A call that fails repeatedly ends, so that those behind it in its ordering key go on.
    """
    try:
        if FAILING.set_aside(call.pk, error).dead_at is None:
            _back_off(call, CallState.UNCONFIRMED, OUR_FAILURE)
        else:
            _end_failing(call)
    except LeaseLostError:
        log.warning("lease_lost")


def _end_failing(call: OutgoingCall) -> None:
    """Refuse the call on the portal's behalf and apply what follows, or only end it if that is what fails."""
    try:
        with transaction.atomic():
            _refuse(call, kind_of(call), OUR_FAILURE, no_answer(OUR_FAILURE))
    except LeaseLostError:
        raise
    except Exception:
        log.exception("call_end_failed")
        now = timezone.now()
        _write(call, CallState.REFUSED, reason=OUR_FAILURE, due_at=now, finished_at=now)


@transaction.atomic
def _retry_execution(call_id: int) -> bool:
    """Make a call that the portal could not execute wait again, as staff want; Altegio is asked first.

    Return whether it waits now.
    """
    refused = OutgoingCall.objects.filter(pk=call_id, state=CallState.REFUSED)
    call = refused.first()
    kind = CALL_KINDS.get(call.kind) if call else None
    if call is None or kind is None or not kind.bring_back(call):
        return False
    now = timezone.now()
    deadline_at = now + kind.max_age if kind.max_age else call.deadline_at
    waits = {"due_at": now, "deadline_at": deadline_at, "finished_at": None, "setbacks": 0, "refusal_code": None}
    transaction.on_commit(wake_a_dispatcher)
    return bool(refused.update(state=CallState.UNCONFIRMED, **waits))


FAILING = Queue.register(Queue("calls", "Outgoing calls", OutgoingCall, max_failures=20, retry=_retry_execution))


def _wait(call: OutgoingCall, state: CallState, reason: str, *, seconds: float) -> None:
    due_at = timezone.now() + timedelta(seconds=seconds)
    try:
        with transaction.atomic():
            _write(call, state, reason=reason, due_at=due_at, finished_at=None)
    except IntegrityError:
        # A newer call with this coalesce key is queued already; it sends the newest state, and waits in its place.
        _end(call, CallState.CANCELLED, reason="A newer call took its place.")
        newer = OutgoingCall.objects.filter(coalesce_key=call.coalesce_key, state=CallState.QUEUED)
        newer.filter(due_at__lt=due_at).update(due_at=due_at)


def _end(call: OutgoingCall, state: CallState, *, reason: str) -> None:
    with transaction.atomic():
        now = timezone.now()
        _write(call, state, reason=reason, due_at=now, finished_at=now)
        call_ended.send(sender=OutgoingCall, call=call, reason=reason)


def _held(call: OutgoingCall) -> QuerySet[OutgoingCall]:
    """Return the call as a queryset, which is empty once the lease is lost."""
    return OutgoingCall.objects.filter(pk=call.pk, lease=call.lease, state=CallState.SENDING)


def _write(
    call: OutgoingCall, state: CallState, *, reason: str, due_at: datetime, finished_at: datetime | None
) -> None:
    """Release the call with a new state. Raises LeaseLostError if this worker no longer holds it."""
    written = _held(call).update(
        state=state,
        reason=reason[:500],
        due_at=due_at,
        finished_at=finished_at,
        setbacks=call.setbacks,
        refusal_code=call.refusal_code,
        host=call.host,
        lease=None,
        lease_until=None,
    )
    if not written:
        raise LeaseLostError
    call.state, call.reason = state, reason
