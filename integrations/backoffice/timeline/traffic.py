"""The sections and next steps of a connection's page about its messages and phone calls of the last days."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlencode

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from integrations.backoffice.timeline.next_steps import NEXT_STEPS, NextStep
from integrations.backoffice.timeline.sections import CASE_SECTIONS, CaseSection, SectionLine
from integrations.connections.models import Application, Chain, Connection
from integrations.messaging.models import RequestedMessage
from integrations.telephony.models import PhoneCall
from partner_portal.core.admin_base import link_to
from partner_portal.core.english import english as _
from partner_portal.core.english import english_plural

RECENT = timedelta(days=7)
# A message that has no status after this time counts as stuck.
SOON = timedelta(minutes=15)


@NEXT_STEPS.add(rank=28)
def messages_not_sent(connection: Connection) -> Iterator[NextStep]:
    """Yield a step for each state in which recent messages are stuck: unsent, unanswered or without enough funds."""
    if not connection.application.takes_messages:
        return
    state, now = RequestedMessage.State, timezone.now()
    stuck = Q(state__in=(state.UNANSWERED, state.NOT_ENOUGH_FUNDS)) | Q(
        state=state.REQUESTED, received_at__lt=now - SOON
    )
    counts = _counts(_recent_messages(connection).filter(stuck))
    for value, count in sorted(counts.items()):
        text = english_plural(
            "%(count)d message of the last 7 days: %(state)s. Look at the gateway.",
            "%(count)d messages of the last 7 days: %(state)s. Look at the gateway.",
            count,
        ) % {"count": count, "state": state(value).label}
        url = _messages_url(connection, state__exact=value)
        yield NextStep(text, url=url, label=_("These messages"), is_trouble=True)


@NEXT_STEPS.add(rank=29)
def phone_calls_not_saved(connection: Connection) -> Iterator[NextStep]:
    """Yield a step if recent phone calls have failed to reach Altegio."""
    if connection.application.kind != Application.Kind.TELEPHONY:
        return
    failed = _recent_calls(connection).filter(state=PhoneCall.State.FAILED).order_by("-pk")
    newest = failed.first()
    if newest is None:
        return
    text = _("Phone calls of the last 7 days are not in Altegio's history; the newest: %(why)s") % {
        "why": newest.error or "–"
    }
    url = _calls_url(connection, state__exact=PhoneCall.State.FAILED)
    yield NextStep(text, url=url, label=_("These calls"), is_trouble=True)


@CASE_SECTIONS.add(rank=30)
def telephony(connection: Connection, reader: User) -> Iterator[CaseSection]:
    """Yield the chain, the state of its telephony and the location's calls of the last seven days by state."""
    chain = connection.location.chain
    wanted = connection.application.kind == Application.Kind.TELEPHONY
    if chain is None or not wanted or not reader.has_perm("connections.view_chain"):
        return
    is_bad = chain.telephony == Chain.Telephony.FAILED
    state = " · ".join(part for part in (chain.get_telephony_display(), chain.telephony_error) if part)
    lines = [SectionLine(_("chain"), link_to(chain)), SectionLine(_("telephony"), state, is_bad)]
    if not reader.has_perm("telephony.view_phonecall"):
        yield CaseSection(_("Telephony"), lines)
        return
    lines += _lines(_counts(_recent_calls(connection)), PhoneCall.State, _("calls of the last 7 days"))
    yield CaseSection(_("Telephony"), lines, ((_calls_url(connection), _("The calls")),))


@CASE_SECTIONS.add(rank=40)
def messages(connection: Connection, reader: User) -> Iterator[CaseSection]:
    """Yield the messages of the last seven days by state."""
    if not reader.has_perm("messaging.view_requestedmessage"):
        return
    counts = _counts(_recent_messages(connection))
    if connection.application.takes_messages or counts:
        lines = _lines(counts, RequestedMessage.State, _("taken from Altegio"))
        links = ((_messages_url(connection), _("The messages")),)
        yield CaseSection(_("Messages of the last 7 days"), lines, links)


def _recent_messages(connection: Connection) -> QuerySet[RequestedMessage]:
    return RequestedMessage.objects.filter(connection=connection, received_at__gte=timezone.now() - RECENT)


def _recent_calls(connection: Connection) -> QuerySet[PhoneCall]:
    """Return the calls of the last seven days that name the location."""
    return PhoneCall.objects.filter(location=connection.location_id, received_at__gte=timezone.now() - RECENT)


def _counts(rows: QuerySet[RequestedMessage] | QuerySet[PhoneCall]) -> dict[str, int]:
    return dict(rows.order_by().values_list("state").annotate(Count("pk")))


def _lines(
    counts: dict[str, int], states: type[RequestedMessage.State | PhoneCall.State], all_of_them: str
) -> list[SectionLine]:
    """Return a line with the count of each state, in the order of the states; one line that says "none" if empty."""
    shown = [SectionLine(label, str(counts[value])) for value, label in states.choices if value in counts]
    return shown or [SectionLine(all_of_them, _("none"))]


def _messages_url(connection: Connection, **narrowed: str) -> str:
    here = {"connection__id__exact": connection.pk, **narrowed}
    return f"{reverse('admin:messaging_requestedmessage_changelist')}?{urlencode(here)}"


def _calls_url(connection: Connection, **narrowed: str) -> str:
    here = {"location__id__exact": connection.location_id, **narrowed}
    return f"{reverse('admin:telephony_phonecall_changelist')}?{urlencode(here)}"
