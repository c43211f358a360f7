"""What a kind of call is. One small class beside its feature; the dispatcher knows no feature.

To add a kind: subclass `CallKind`, decorate with `@register`, in any module of an app.
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
    """Asked: Altegio did it."""


@dataclass(frozen=True)
class SendAgain:
    """Asked: it did not happen, and may be sent."""


@dataclass(frozen=True)
class NotToHappen:
    """Asked: it did not happen, and will not."""

    reason: str


@dataclass(frozen=True)
class CannotTell:
    """Asked, but the answer tells nothing: ask again later."""


@dataclass(frozen=True)
class AskAgain:
    """Asked: it may be sent soon; in so many seconds Altegio is asked once more."""

    seconds: float
    reason: str


@dataclass(frozen=True)
class Hold:
    """Asked: nothing is sent until a person decides, something changes, or the deadline passes."""

    reason: str


Verdict = Happened | SendAgain | NotToHappen | CannotTell | AskAgain | Hold


class AskFirstError(Exception):
    """Raised by `CallKind.request` when nothing is sent before Altegio has been asked; `str()` says why."""


class ObsoleteError(Exception):
    """Raised by `CallKind.request` when there is nothing to say any more; `str()` is the reason."""


class UnverifiableError(Exception):
    """Raised by `CallKind.question` when there is nobody to ask and it is not sent again; `str()` is the refusal."""


class CallKind:
    """How one kind of call is made, and what its ends change.

    `accepted`, `refused` and `expired` run in the transaction that records the call's end.
    """

    name: ClassVar[str]
    # What staff read.
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
    # The sources put it under both hosts: where one says 404 or 405, the other is tried once. It must be idempotent.
    on_either_host: ClassVar[bool] = False
    # How long a call without a deadline is retried; None means for ever.
    max_age: ClassVar[timedelta | None] = None
    # Staff are told when it is refused or comes too late, because nobody else would see it.
    alert_on_failure: ClassVar[bool] = False

    def about(self, call: OutgoingCall) -> str:
        """Return what the call is about: a failure's alert ends when a later call about the same is done."""
        return json.dumps(call.params, sort_keys=True)

    def request(self, call: OutgoingCall) -> ApiRequest:
        """Return what to send, built at the moment of sending.

        Raises ObsoleteError when nothing is left to say, AskFirstError when Altegio must be asked first.
        """
        raise NotImplementedError

    def must_ask(self, call: OutgoingCall) -> bool:
        """Whether Altegio is asked before the sending though nothing can have happened yet."""
        return False

    def proves_token(self, call: OutgoingCall) -> bool:
        """Return whether a 401 to this call says that the partner token is refused, and so stops every call.

        Not where something else decides too: a credential of its own, or an address that came from outside.
        """
        return not self.uses_own_credential

    def verify_before_retry(self, call: OutgoingCall) -> bool:
        """After an uncertain end: whether Altegio is asked, or the call is simply sent again."""
        return not self.idempotent

    def question(self, call: OutgoingCall) -> ApiRequest:
        """How to ask whether it happened; needed where `verify_before_retry` may say yes."""
        raise NotImplementedError

    def judge(self, call: OutgoingCall, answer: Answer) -> Verdict:
        """What the answer to the question says; in the transaction that records it.

        While Altegio may still be at what was sent, only "it happened" counts: the executor undoes the rest, and asks
        again.
        """
        raise NotImplementedError

    def rounds(self, call: OutgoingCall) -> QuerySet[OutgoingCall]:
        """All calls that say the same thing to Altegio: this one, and any that was given up before it."""
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
        """It happened; `answer` is the one that said so (to the call, or to the question)."""

    def refused(self, call: OutgoingCall, reason: str, answer: Answer) -> None:
        """It will not happen; `reason` is Altegio's, or ours about `answer`."""

    def unanswered(self, call: OutgoingCall) -> None:
        """It was sent and no answer of Altegio's own came; it will be tried again.

        Runs in the transaction that records it.
        """

    def bring_back(self, call: OutgoingCall) -> bool:
        """Staff want a call that the portal gave up (`refused`) tried again: let what it is about wait for it anew.

        Runs in the transaction that makes it wait. Returns whether this call is still to be carried: not where a
        newer one has taken its place, or what it was about has gone on without it.
        """
        return True

    def hold(self, calls: Sequence[OutgoingCall]) -> None:
        """Lock, in one order, what their end changes beside their connections.

        Needed where somebody holds that and then cancels its calls: the other order would be a deadlock.
        """

    def expired(self, call: OutgoingCall, now: datetime) -> None:
        """Its deadline passed. What `hold` names is locked."""


CALL_KINDS = ExtensionPoint[CallKind](
    "kinds of call", "Calls to Altegio: how they are built, and what their answers change."
)


def register(kind: type[CallKind]) -> type[CallKind]:
    """Class decorator: make a kind known to the dispatcher by its name."""
    CALL_KINDS.register(kind.name, kind())
    return kind


def kind_title(name: str) -> StrOrPromise:
    """Return what staff call this kind; the bare name for one that no code carries any more."""
    kind = CALL_KINDS.get(name)
    return kind.title if kind else name


def kind_of(call: OutgoingCall) -> CallKind:
    """The kind of a stored call. Raises KeyError for one that no code carries any more."""
    return CALL_KINDS[call.kind]
