"""The call that reads the lists of connected locations, a thousand in a call, within the common call budget."""

from datetime import datetime

from integrations.altegio import requests
from integrations.altegio.answers import Answer
from integrations.altegio.location_list import read_locations
from integrations.altegio.requests import ApiRequest
from integrations.connections.models import Application
from integrations.locations.call_kinds import PAGE
from integrations.outbox.call_kinds import CallKind, ObsoleteError, register
from integrations.outbox.models import OutgoingCall, Priority
from integrations.outbox.queue import new_call, queue
from integrations.reconciliation import compare
from integrations.reconciliation.models import Reconciliation
from integrations.reconciliation.runs import MAX_DURATION, count_calls, list_ended
from partner_portal.core.english import english as _

# A list of more than a million locations would be a fault at Altegio, so reading ends there.
MAX_PAGES = 1000


@register
class ListPage(CallKind):
    """The call that reads a page of connected locations (docs/altegio.md §2, connected locations)."""

    name = "reconcile"
    title = _("Comparison with Altegio")
    priority = Priority.HOUSEKEEPING
    idempotent = True
    max_age = MAX_DURATION

    def request(self, call: OutgoingCall) -> ApiRequest:
        if not _run(call).state == Reconciliation.State.RUNNING:
            raise ObsoleteError("The reconciliation was given up.")
        return requests.connected_locations(call.params["application"], page=call.params["page"], count=PAGE)

    def accepted(self, call: OutgoingCall, answer: Answer) -> None:
        run, application, page = _run(call), _application(call), call.params["page"]
        compare.compare_page(run, application, read_locations(answer))
        is_full = isinstance(answer.data, list) and len(answer.data) >= PAGE
        if is_full and page < MAX_PAGES:
            ask_for_page(run, application, page=page + 1)
            return
        compare.compare_rest(run, application)
        list_ended(run)

    def refused(self, call: OutgoingCall, reason: str, answer: Answer) -> None:
        _end_without_list(call, reason)

    def bring_back(self, call: OutgoingCall) -> bool:
        """Return False: the run went on without this list, and the next one reads it."""
        return False

    def expired(self, call: OutgoingCall, now: datetime) -> None:
        _end_without_list(call, call.reason)


def ask_for_page(run: Reconciliation, application: Application, *, page: int) -> None:
    """Queue the call for one page of an application's list."""
    key = f"reconcile:{run.pk}:{application.altegio_id}:{page}"
    queue([new_call(ListPage, key, run=run.pk, application=application.altegio_id, page=page)])
    count_calls(run, 1)


def _end_without_list(call: OutgoingCall, reason: str) -> None:
    run = _run(call)
    compare.list_refused(run, _application(call), reason)
    list_ended(run)


def _run(call: OutgoingCall) -> Reconciliation:
    return Reconciliation.objects.get(pk=call.params["run"])


def _application(call: OutgoingCall) -> Application:
    return Application.objects.get(altegio_id=call.params["application"])
