"""Operations on sender names: give, ask for, refuse and withdraw; Altegio gets the whole list after each change."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.connections.models import Application, Connection, SyncState
from integrations.outbox.models import OutgoingCall
from integrations.outbox.queue import cancel
from integrations.sender_names.call_kinds import SendSenderNames
from integrations.sender_names.models import IN_FORCE, NameState, SenderName, SenderNameList
from integrations.sender_names.rules import MAX_NAMES, list_problems, name_problem
from partner_portal.core.queues import Queue

BATCH = 200


class InvalidSenderNamesError(ValueError):
    """Raised for invalid names; `problems` holds the reason for each index, or for the whole list under None."""

    def __init__(self, problems: dict[int | None, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


def empty_list_reason() -> str:
    """Return why Altegio's list cannot be emptied."""
    return _(
        "Altegio takes no empty list of sender names: it keeps showing the last ones until another name is "
        "given or the location is disconnected."
    )


def sender_connection(salon_id: int) -> Connection | None:
    """Return the connection that counts for a location's sender names (its SMS application's), or None.

    `salon_id` is Altegio's id of the location. A live connection counts before an undecided one.
    """
    here = Connection.objects.filter(location__altegio_id=salon_id, application__kind=Application.Kind.SMS)
    return here.not_ended().select_related("application", "location").current()


def list_of(connection: Connection) -> SenderNameList | None:
    """Return the list of the connection's installation, or None if there is none yet."""
    return SenderNameList.objects.of(connection).first()


def names_of(connection: Connection) -> SenderNameList:
    """Return the list of the connection's installation, creating it if there is none yet."""
    names: SenderNameList = SendSenderNames.row_of(connection)
    return names


def names_in_force(names: SenderNameList) -> list[str]:
    """Return the names that Altegio must have, in their order."""
    return list(names.names.filter(state__in=IN_FORCE).values_list("name", flat=True))


@transaction.atomic
def replace_names(connection: Connection, wanted: Sequence[object]) -> SenderNameList:
    """Make `wanted` the whole list: new names are granted, missing ones withdrawn. Raises InvalidSenderNamesError."""
    _check(wanted)
    names = _locked(names_of(connection))
    present = {row.name: row for row in names.names.filter(state__in=(NameState.ASKED, *IN_FORCE))}
    gone = [row.pk for row in present.values() if row.state in IN_FORCE and row.name not in wanted]
    _end(names, gone, NameState.WITHDRAWN)
    for position, name in enumerate(map(str, wanted)):
        row = present.get(name) or SenderName(list=names, name=name)
        if row.state not in IN_FORCE:
            row.state, row.changed_at = NameState.GRANTED, timezone.now()
        row.position = position
        row.save()
    tell(names)
    return names


def _check(wanted: Sequence[object]) -> None:
    if not wanted:
        raise InvalidSenderNamesError({None: empty_list_reason()})
    if len(wanted) > MAX_NAMES:
        raise InvalidSenderNamesError({None: _("At most 20 sender names.")})
    if problems := list_problems(wanted):
        raise InvalidSenderNamesError(dict(problems.items()))


@transaction.atomic
def give_name(
    names: SenderNameList, name: str, *, bought: bool = False, valid_until: datetime | None = None
) -> SenderName:
    """Add a name to the list, or grant it if the owner has asked for it. Raises InvalidSenderNamesError."""
    _check_one(name)
    names = _locked(names)
    row = names.names.filter(name=name, state__in=(NameState.ASKED, *IN_FORCE)).first()
    if (row is None or row.state == NameState.ASKED) and len(names_in_force(names)) >= MAX_NAMES:
        raise InvalidSenderNamesError({None: _("At most 20 sender names.")})
    if row is None:
        row = SenderName(list=names, name=name, position=_next_position(names))
    row.state = NameState.BOUGHT if bought else NameState.GRANTED
    row.valid_until, row.changed_at = valid_until, timezone.now()
    row.save()
    tell(names)
    return row


@transaction.atomic
def ask_for_name(names: SenderNameList, name: str) -> None:
    """Record the owner's request for a name, unless the list has it already. Raises InvalidSenderNamesError."""
    _check_one(name)
    names = _locked(names)
    there = names.names.filter(state__in=(NameState.ASKED, *IN_FORCE))
    if there.filter(name=name).exists():
        return
    if there.count() >= MAX_NAMES:
        raise InvalidSenderNamesError({None: _("At most 20 sender names.")})
    SenderName.objects.create(list=names, name=name, state=NameState.ASKED, position=_next_position(names))


@transaction.atomic
def refuse_name(name: SenderName) -> bool:
    """Refuse the owner's request for a name; return whether it was still open."""
    asked = SenderName.objects.filter(pk=name.pk, state=NameState.ASKED)
    return bool(asked.update(state=NameState.REFUSED, changed_at=timezone.now()))


@transaction.atomic
def withdraw_name(name: SenderName) -> bool:
    """Withdraw a name and queue the list; return whether the name was in force."""
    names = _locked(name.list)
    if not _end(names, [name.pk], NameState.WITHDRAWN):
        return False
    tell(names)
    return True


def withdraw_run_out() -> int:
    """Withdraw the names whose validity has ended; return how many lists were changed. Beat calls this."""
    run_out = SenderName.objects.filter(state__in=IN_FORCE, valid_until__lte=timezone.now())
    lists = RUNNING_OUT.ready(SenderNameList.objects.filter(pk__in=run_out.values("list")))
    return RUNNING_OUT.work_each(list(lists.order_by("pk")[:BATCH]), _withdraw_run_out)


def _withdraw_run_out(names: SenderNameList) -> None:
    names = _locked(names)
    run_out = SenderName.objects.filter(list=names, state__in=IN_FORCE, valid_until__lte=timezone.now())
    if _end(names, list(run_out.values_list("pk", flat=True)), NameState.RAN_OUT):
        tell(names)


RUNNING_OUT = Queue.register(Queue("sender names", "Sender names whose time is over", SenderNameList))


def tell(names: SenderNameList) -> None:
    """Queue the whole list for Altegio, in the transaction that changed it; set an empty list to failed."""
    connection = SendSenderNames.connection_for(names)
    if connection is None or SendSenderNames.has_content(names):
        SendSenderNames.tell(names)
        return
    key = SendSenderNames.coalesce_key_of(names, connection)
    cancel(OutgoingCall.objects.filter(coalesce_key=key), "No sender name is left.")
    names.set_sync(SyncState.FAILED, empty_list_reason())


@transaction.atomic
def tell_again(names: SenderNameList) -> None:
    """Queue the list once more, at the request of staff or of the watch."""
    tell(_locked(names))


def _check_one(name: str) -> None:
    if problem := name_problem(name):
        raise InvalidSenderNamesError({0: problem})


def _locked(names: SenderNameList) -> SenderNameList:
    """Return the list locked, so that changes to it happen one after another."""
    locked: SenderNameList = SendSenderNames.locked(names.pk)
    return locked


def _end(names: SenderNameList, which: Sequence[int], state: NameState) -> int:
    ended = SenderName.objects.filter(list=names, pk__in=which, state__in=IN_FORCE)
    return ended.update(state=state, changed_at=timezone.now())


def _next_position(names: SenderNameList) -> int:
    last: int | None = names.names.filter(state__in=IN_FORCE).aggregate(last=Max("position"))["last"]
    return 0 if last is None else last + 1
