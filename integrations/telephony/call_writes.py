"""Storage of reported phone calls: a new call is stored and queued, a known one takes the better leg or stays.

Altegio's copy of a call cannot be changed, so the outcome depends on the call's state. Before a call is sent, its
legs are merged. After a failure, a new report replaces it. Once Altegio may hold the call, other content is a
conflict.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from integrations.connections.models import Chain
from integrations.outbox.models import CallState, OutgoingCall
from integrations.outbox.queue import queue_fresh
from integrations.telephony import legs
from integrations.telephony.models import PhoneCall
from integrations.telephony.phone_calls import CallHistory, can_be_asked, why_not_again
from integrations.telephony.reading import HIDDEN
from integrations.telephony.reported_calls import CallOutcome, ReportedCall, Result
from integrations.telephony.switched_off import KEPT_FOR, why_kept
from partner_portal.core.english import english as _
from partner_portal.core.fast_insert import insert
from partner_portal.core.fast_query import Rows

# The legs of a call arrive within a second of each other. Sending waits this long, so that the best leg is sent.
LEGS_COME_WITHIN = timedelta(seconds=3)

BETTER_STANDS = _("Left out. Another leg of this call was told that says more, and that stands.")
OTHER_CALLER = _("This call_id was told with another caller, {phone}: two calls need two ids.")
ALREADY_SENT = _("Altegio has this call, or is being told of it, and that cannot be changed. It differs in: {names}.")
WRITTEN = [*legs.FIELDS, "location", "warnings", "state", "error", "kept_until", "attempt_count"]
Key = tuple[int, str]


def store_calls(reported: Sequence[ReportedCall]) -> list[Result]:
    """Store the reported calls; return one result for each, in the same order."""
    if not reported:
        return []
    try:
        return _store(reported)
    except IntegrityError:  # another request stored one of them in the meantime: now it is known
        return _store(reported)


@transaction.atomic
def _store(reported: Sequence[ReportedCall]) -> list[Result]:
    known = _locked(reported)
    writes = _Writes(known, _unsent(known.values()))
    results = [writes.take(one) for one in reported]
    writes.commit()
    return results


def _locked(reported: Sequence[ReportedCall]) -> dict[Key, PhoneCall]:
    """Return the reported calls that are stored already, by their key, locked in a fixed order."""
    chains = {one.caller.chain.pk: one.caller.chain for one in reported}
    named: list[int | str] = []
    for chain in chains:
        named += [chain, *(one.call_id for one in reported if one.caller.chain.pk == chain)]
    known = {(row.chain_id, row.call_id): row for row in _lock_named(*named)}
    for (chain, _call_id), row in known.items():
        row.chain = chains[chain]
    return known


def _named(*named: int | str) -> QuerySet[PhoneCall]:
    """Return a locking query for phone calls; `named` lists chain ids, each followed by its call ids."""
    ids: dict[int, list[str]] = {}
    for each in named:
        if isinstance(each, int):
            ids[each] = of_chain = []
        else:
            of_chain.append(each)
    wanted = Q(pk__in=())
    for chain, call_ids in ids.items():
        wanted |= Q(chain=chain, call_id__in=call_ids)
    rows = PhoneCall.objects.select_related("location").select_for_update(no_key=True, of=("self",))
    return rows.filter(wanted).order_by("pk")


_lock_named = Rows[PhoneCall](_named)


def _unsent(known: Iterable[PhoneCall]) -> set[int]:
    """Return the keys of the calls that no worker has begun to send; the locks keep it so in this transaction."""
    keys = {CallHistory.key_of(row): row.pk for row in known if row.state == PhoneCall.State.QUEUED}
    if not keys:
        return set()
    waiting = OutgoingCall.objects.select_for_update(no_key=True).filter(key__in=keys, state=CallState.QUEUED)
    return {keys[call.key] for call in waiting.order_by("pk")}


class _Writes:
    """A batch of writes: it decides the result of each reported call in turn, and `commit` stores all of them."""

    def __init__(self, known: dict[Key, PhoneCall], unsent: set[int]) -> None:
        self._known, self._unsent = known, unsent
        self._asked = can_be_asked({call.chain_id for call in known.values() if call.is_unconfirmed})
        self._new: list[PhoneCall] = []
        self._changed: dict[int, PhoneCall] = {}
        self._to_send: list[tuple[PhoneCall, timedelta]] = []

    def take(self, reported: ReportedCall) -> Result:
        """Decide what happens to a reported call, and return its result."""
        known = self._known.get(reported.key)
        if known is None:
            return self._take_new(reported)
        match known.state:
            case PhoneCall.State.FAILED:
                return self._take_failed(known, reported)
            case PhoneCall.State.KEPT:
                return self._merge(known, reported)
            case PhoneCall.State.QUEUED if known.pk is None or known.pk in self._unsent:
                return self._merge(known, reported)
        return _compared(known, reported)

    def commit(self) -> None:
        """Write all decided changes in a constant number of queries."""
        insert(self._new)
        if self._changed:
            PhoneCall.objects.bulk_update(self._changed.values(), WRITTEN, batch_size=100)
        queue_fresh([CallHistory.new(call, rest) for call, rest in self._to_send])

    def _take_new(self, reported: ReportedCall) -> Result:
        call = PhoneCall(chain=reported.caller.chain, call_id=reported.call_id)
        self._known[reported.key] = call
        self._new.append(call)
        return self._send_or_keep(call, reported, reported.content)

    def _take_failed(self, known: PhoneCall, reported: ReportedCall) -> Result:
        """Send a failed call anew as reported, unless Altegio may hold the same content and cannot be asked."""
        if known.is_unconfirmed and known.chain_id not in self._asked and not _differing(known, reported):
            return Result(CallOutcome.KNOWN, known, reported.warnings)
        if why := why_not_again(known):
            return _conflict(known, why, reported)
        known.attempt_count += 1
        return self._send_or_keep(known, reported, reported.content)

    def _merge(self, known: PhoneCall, reported: ReportedCall) -> Result:
        """Merge a reported leg into a call of which nothing has been sent yet; the better leg wins."""
        standing, leg = _leg(known), {**legs.FIELDS, **reported.content}
        if legs.is_other_call(standing, leg):
            return _conflict(known, OTHER_CALLER.format(phone=known.phone))
        best = legs.merged(standing, leg)
        left_out = [{"field": name, "message": BETTER_STANDS} for name in legs.differing(best, reported.content)]
        if known.state == PhoneCall.State.KEPT:
            result = self._send_or_keep(known, reported, best)
            return Result(result.verdict, known, [*reported.warnings, *left_out], result.problems)
        self._change(known, reported, best)
        return Result(CallOutcome.KNOWN, known, [*reported.warnings, *left_out])

    def _send_or_keep(self, call: PhoneCall, reported: ReportedCall, content: Mapping[str, Any]) -> Result:
        """Store `content` in the call and queue it; keep it if the caller hides or the telephony is not on."""
        was_kept = call.state == PhoneCall.State.KEPT
        self._change(call, reported, content)
        chain = reported.caller.chain
        call.error, call.kept_until = (HIDDEN, None) if not call.phone else _kept_for(chain)
        call.state = PhoneCall.State.KEPT if call.error else PhoneCall.State.QUEUED
        if not call.error:
            self._to_send.append((call, LEGS_COME_WITHIN if reported.has_own_id else timedelta()))
            self._unsent.add(call.pk)
        elif call.kept_until and chain.telephony != Chain.Telephony.ENABLING:
            return _conflict(call, call.error, reported)
        return Result(CallOutcome.KNOWN if was_kept and call.error else CallOutcome.TAKEN, call, reported.warnings)

    def _change(self, call: PhoneCall, reported: ReportedCall, content: Mapping[str, Any]) -> None:
        for name, value in content.items():
            setattr(call, name, value)
        call.location = reported.caller.location or call.location
        call.warnings = reported.warnings
        if call.pk is not None:
            self._changed[call.pk] = call


def _kept_for(chain: Chain) -> tuple[str, Any]:
    """Return why this chain's calls are kept, and until when; "" and None if they are sent."""
    why = why_kept(chain)[:500]
    return why, timezone.now() + KEPT_FOR if why else None


def _compared(known: PhoneCall, reported: ReportedCall) -> Result:
    """Compare a report with a call that Altegio has or is being sent: other content is a conflict."""
    if names := _differing(known, reported):
        return _conflict(known, ALREADY_SENT.format(names=", ".join(names)))
    return Result(CallOutcome.KNOWN, known, reported.warnings)


def _conflict(call: PhoneCall, why: str, reported: ReportedCall | None = None) -> Result:
    return Result(CallOutcome.CONFLICT, call, reported.warnings if reported else [], {"detail": why})


def _differing(known: PhoneCall, reported: ReportedCall) -> list[str]:
    return legs.differing(_leg(known), reported.content)


def _leg(call: PhoneCall) -> dict[str, Any]:
    return {name: getattr(call, name) for name in legs.FIELDS}
