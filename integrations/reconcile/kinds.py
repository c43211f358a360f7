"""Reading the lists of connected locations, a thousand in a call, within everybody's call budget."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from integrations.altegio import calls
from integrations.altegio.answers import Answer, read_locations
from integrations.altegio.calls import Call
from integrations.locations.kinds import PAGE
from integrations.models.application import Application
from integrations.outbox.kinds import CallKind, Obsolete, register
from integrations.outbox.models import OutgoingCall, Priority
from integrations.reconcile import comparing
from integrations.reconcile.models import Reconciliation
from integrations.reconcile.runs import LONGEST, ask_for_page, list_ended

# A list that never ends would be a fault at the other side: a million locations are none.
MOST_PAGES = 1000


@register
class ListPage(CallKind):
    """docs/altegio.md §2, connected locations."""

    name = "reconcile"
    title = _("Comparison with Altegio")
    priority = Priority.HOUSEKEEPING
    repeatable = True
    gives_up_after = LONGEST

    def request(self, call: OutgoingCall) -> Call:
        if not _run(call).state == Reconciliation.State.RUNNING:
            raise Obsolete("The reconciliation was given up.")
        return calls.connected_locations(call.params["application"], page=call.params["page"], count=PAGE)

    def accepted(self, call: OutgoingCall, answer: Answer) -> None:
        run, application, page = _run(call), _application(call), call.params["page"]
        comparing.compare_page(run, application, read_locations(answer))
        is_full = isinstance(answer.data, list) and len(answer.data) >= PAGE
        if is_full and page < MOST_PAGES:
            ask_for_page(run, application, page=page + 1)
            return
        comparing.compare_rest(run, application)
        list_ended(run)

    def refused(self, call: OutgoingCall, reason: str, answer: Answer) -> None:
        _end_without_list(call, reason)

    def expired(self, call: OutgoingCall, now: datetime) -> None:
        _end_without_list(call, call.reason)


def _end_without_list(call: OutgoingCall, reason: str) -> None:
    run = _run(call)
    comparing.list_refused(run, _application(call), reason)
    list_ended(run)


def _run(call: OutgoingCall) -> Reconciliation:
    return Reconciliation.objects.get(pk=call.params["run"])


def _application(call: OutgoingCall) -> Application:
    return Application.objects.get(altegio_id=call.params["application"])
