"""The base of a kind of call: one small class beside its feature. The dispatcher knows no feature.

To add a kind, subclass `CallKind` and decorate it with `@register`, in any module of an app.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from django.db.models import QuerySet
from django_stubs_ext import StrOrPromise

from integrations.altegio.answers import Answer
from integrations.altegio.requests import ApiRequest
from integrations.outbox.models import OutgoingCall, Priority
from partner_portal.core.extension_points import ExtensionPoint


@dataclass(frozen=True)
class Happened:
    """A verdict: Altegio did it."""


@dataclass(frozen=True)
class SendAgain:
    """A verdict: it did not happen, and may be sent."""


@dataclass(frozen=True)
class NotToHappen:
    """A verdict: it did not happen, and will not."""

    reason: str


@dataclass(frozen=True)
class CannotTell:
    """A verdict: the answer does not say; ask again later."""


@dataclass(frozen=True)
class AskAgain:
    """A verdict: it may be sent soon; Altegio is asked once more after so many seconds."""

    seconds: float
    reason: str


@dataclass(frozen=True)
class Hold:
    """A verdict: nothing is sent until a person decides, something changes, or the deadline passes."""

    reason: str


Verdict = Happened | SendAgain | NotToHappen | CannotTell | AskAgain | Hold


class AskFirstError(Exception):
    """Raised by `CallKind.request` when nothing may be sent before Altegio has been asked; `str()` says why."""


class ObsoleteError(Exception):
    """Raised by `CallKind.request` when there is nothing left to send; `str()` is the reason."""


class UnverifiableError(Exception):
    """Raised by `CallKind.question` when nobody can be asked and it is not sent again; `str()` is the refusal."""


class CallKind:
    """One kind of outgoing call: how it is built, and what its ends change.

    `accepted`, `refused` and `expired` run in the transaction that records the call's end.
    """

    name: ClassVar[str]
    # The name for staff.
    title: ClassVar[StrOrPromise]
    priority: ClassVar[Priority]
    # Harmless to repeat: after an uncertain end it is sent again, without asking.
    idempotent: ClassVar[bool] = False
    # `accepted` does not read the answer: where a worker ended before it was done, the recorded acceptance is enough,
    # and nothing is sent or asked again.
    yes_is_enough: ClassVar[bool] = False
    # A newer call overwrites what this one set. Without a certain answer Altegio may still apply this one late and
    # undo the newer, so the next call waits for `ALTEGIO_SETTLING_SECONDS`.
    last_write_wins: ClassVar[bool] = False
    # "It is not there" is believed at once, though Altegio may still be processing the call: a duplicate does no
    # harm, and there is no time to wait.
    settles_at_once: ClassVar[bool] = False
    # Its body carries a credential beside the partner token, so a 401 may mean that one: a refusal.
    uses_own_credential: ClassVar[bool] = False
    # The sources name both hosts for it. If one answers 404 or 405, the other is tried once. It must be idempotent.
    on_either_host: ClassVar[bool] = False
    # How long a call without a deadline is retried; None means without end.
    max_age: ClassVar[timedelta | None] = None
    # Staff get an alert when it is refused or expires, because nobody else would see it.
    alert_on_failure: ClassVar[bool] = False
    # Nothing is left to do about a failure once the connection is no longer live: its alert ends then.
    alert_ends_with_connection: ClassVar[bool] = False

    def about(self, call: OutgoingCall) -> str:
        """Return what the call is about: a failure's alert ends when a later call of the kind about it is done.

        It names what distinguishes it from all others of the kind, because the alert's key names no connection.
        """
        return json.dumps(call.params, sort_keys=True)

    def request(self, call: OutgoingCall) -> ApiRequest:
        """Return the request, built at the moment of sending.

        Raises ObsoleteError if nothing is left to send, AskFirstError if Altegio must be asked first.
        """
        raise NotImplementedError

    def must_ask(self, call: OutgoingCall) -> bool:
        """Return whether Altegio is asked before the first sending, though nothing can have happened yet."""
        return False

    def proves_token(self, call: OutgoingCall) -> bool:
        """Return whether a 401 to this call says that the partner token is refused, and so stops every call.

        It does not where the 401 may have another cause: a credential of the call's own, or an address that came from
        outside.
        """
        return not self.uses_own_credential

    def verify_before_retry(self, call: OutgoingCall) -> bool:
        """Return whether Altegio is asked after an uncertain end; else the call is simply sent again."""
        return not self.idempotent

    def question(self, call: OutgoingCall) -> ApiRequest:
        """Return the request that asks whether it happened; needed if `verify_before_retry` may return True."""
        raise NotImplementedError

    def judge(self, call: OutgoingCall, answer: Answer) -> Verdict:
        """Return the verdict on the answer to the question, in the transaction that records it.

        While Altegio may still be processing what was sent, only "it happened" counts: the executor undoes any other
        verdict, and asks again.
        """
        raise NotImplementedError

    def rounds(self, call: OutgoingCall) -> QuerySet[OutgoingCall]:
        """Return all calls that send the same thing to Altegio: this one, and any that was given up before it."""
        return OutgoingCall.objects.filter(pk=call.pk)

    def needs_verification(self, answer: Answer) -> bool:
        """Return whether this refusal must be checked with the question before it is believed."""
        return False

    def is_final(self, answer: Answer) -> bool:
        """Return whether this refusal ends the call; else it is sent again every few minutes while its time lasts."""
        return True

    def is_conclusive(self, answer: Answer) -> bool:
        """Return whether this acceptance says what must be known; else Altegio is asked as after an uncertain end."""
        return True

    def accepted(self, call: OutgoingCall, answer: Answer) -> None:
        """Apply what follows from success; `answer` is the one that showed it (to the call, or to the question)."""

    def refused(self, call: OutgoingCall, reason: str, answer: Answer) -> None:
        """Apply what follows from a final refusal; `reason` is Altegio's, or ours about `answer`."""

    def unanswered(self, call: OutgoingCall) -> None:
        """Note that it was sent and Altegio itself did not answer; it will be tried again.

        Runs in the transaction that records it.
        """

    def bring_back(self, call: OutgoingCall) -> bool:
        """Let what the call is about wait for it anew: staff want a call that the portal gave up (`refused`) tried
        again.

        Runs in the transaction that makes it wait. Returns False if the call is not to be executed: a newer one has
        taken its place, or what it was about has gone on without it.
        """
        return True

    def hold(self, calls: Sequence[OutgoingCall]) -> None:
        """Lock, in one order, the rows that the calls' ends change beside their connections.

        Needed if other code locks those rows and then cancels the calls: the opposite order would be a deadlock.
        """

    def expired(self, call: OutgoingCall, now: datetime) -> None:
        """Apply what follows from the passed deadline. The rows of `hold` are locked."""


CALL_KINDS = ExtensionPoint[CallKind](
    "kinds of call", "Calls to Altegio: how they are built, and what their answers change."
)


def register(kind: type[CallKind]) -> type[CallKind]:
    """Make a kind known to the dispatcher by its name. A class decorator."""
    CALL_KINDS.register(kind.name, kind())
    return kind


def kind_title(name: str) -> StrOrPromise:
    """Return the name of this kind for staff; the bare name if no code has the kind any more."""
    kind = CALL_KINDS.get(name)
    return kind.title if kind else name


def kind_of(call: OutgoingCall) -> CallKind:
    """Return the kind of a stored call. Raises KeyError if no code has the kind any more."""
    return CALL_KINDS[call.kind]
