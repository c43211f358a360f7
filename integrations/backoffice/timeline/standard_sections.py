"""What the marketplace itself shows on a connection's page: sender names, telephony, messages, webhooks."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count, QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from integrations.backoffice.timeline.next_steps import NEXT_STEPS, NextStep
from integrations.backoffice.timeline.sections import CASE_SECTIONS, CaseSection, Line
from integrations.connections.models import Application, Chain, Connection, SyncState
from integrations.messaging.models import RequestedMessage
from integrations.partner_events.models import WebhookDelivery
from integrations.sender_names.call_kinds import SendSenderNames
from integrations.sender_names.models import IN_FORCE, NameState, SenderNameList
from partner_portal.core.admin_base import link_to
from partner_portal.core.english import english as _

RECENT = timedelta(days=7)


@NEXT_STEPS.add(rank=26)
def sender_names_refused(connection: Connection) -> Iterator[NextStep]:
    """Sender names that Altegio does not have."""
    names = _names(connection)
    if names is None or names.sync_state != SyncState.FAILED:
        return
    text = _("Altegio does not have the sender names as they are: %(why)s") % {"why": names.sync_error or "–"}
    yield NextStep(
        text,
        action="send_again",
        row=names,
        url=_page_of(names),
        label=_("Sender names"),
        is_trouble=True,
        says_alerts=(f"call:{SendSenderNames.name}:{connection.pk}:",),
    )


def _names(connection: Connection) -> SenderNameList | None:
    return SenderNameList.objects.of(connection).select_related("installation").first()


@CASE_SECTIONS.add(rank=20)
def sender_names(connection: Connection, reader: User) -> Iterator[CaseSection]:
    """The names in force and asked for, and whether Altegio has them."""
    if not reader.has_perm("sender_names.view_sendernamelist"):
        return
    names = _names(connection)
    if names is None:
        return
    rows = list(names.names.filter(state__in=(*IN_FORCE, NameState.ASKED)))
    in_force = ", ".join(row.name for row in rows if row.state in IN_FORCE)
    asked = ", ".join(row.name for row in rows if row.state == NameState.ASKED)
    is_bad = names.sync_state == SyncState.FAILED
    state = " · ".join(part for part in (names.get_sync_state_display(), names.sync_error) if part)
    lines = [Line(_("in force"), in_force or "–"), Line(_("at Altegio"), state, is_bad)]
    if asked:
        lines.append(Line(_("asked for by the owner"), asked))
    yield CaseSection(_("Sender names"), lines, ((_page_of(names), _("The list")),))


@CASE_SECTIONS.add(rank=30)
def telephony(connection: Connection, reader: User) -> Iterator[CaseSection]:
    """The chain, and whether its telephony is on."""
    chain = connection.location.chain
    wanted = connection.application.kind == Application.Kind.TELEPHONY
    if chain is None or not wanted or not reader.has_perm("connections.view_chain"):
        return
    is_bad = chain.telephony == Chain.Telephony.FAILED
    state = " · ".join(part for part in (chain.get_telephony_display(), chain.telephony_error) if part)
    yield CaseSection(_("Telephony"), [Line(_("chain"), link_to(chain)), Line(_("telephony"), state, is_bad)])


@CASE_SECTIONS.add(rank=40)
def messages(connection: Connection, reader: User) -> Iterator[CaseSection]:
    """How the messages of the last seven days ended."""
    if not reader.has_perm("messaging.view_requestedmessage"):
        return
    recent = RequestedMessage.objects.filter(connection=connection, received_at__gte=timezone.now() - RECENT)
    counts = _counts(recent, "state")
    if connection.application.takes_messages or counts:
        state = RequestedMessage.State
        shown = [Line(label, str(counts[value])) for value, label in state.choices if value in counts]
        yield CaseSection(_("Messages of the last 7 days"), shown or [Line(_("taken from Altegio"), _("none"))])


@CASE_SECTIONS.add(rank=50)
def webhooks(connection: Connection, reader: User) -> Iterator[CaseSection]:
    """What the partner's own systems have not been told of this connection yet."""
    if not reader.has_perm("partner_events.view_webhookdelivery"):
        return
    state = WebhookDelivery.State
    open_ones = WebhookDelivery.objects.filter(event__connection=connection, state__in=(state.WAITING, state.DEAD))
    counts = _counts(open_ones, "state")
    lines = [
        Line(_("waiting"), str(counts.get(state.WAITING, 0))),
        Line(_("dead letters"), str(counts.get(state.DEAD, 0)), is_bad=state.DEAD in counts),
    ]
    deliveries = reverse("admin:partner_events_webhookdelivery_changelist")
    links = ((f"{deliveries}?event__connection__id__exact={connection.pk}", _("The deliveries")),) if counts else ()
    yield CaseSection(_("Webhooks to your systems"), lines, links)


def _counts(rows: QuerySet[RequestedMessage] | QuerySet[WebhookDelivery], column: str) -> dict[str, int]:
    return dict(rows.order_by().values_list(column).annotate(Count("pk")))


def _page_of(names: SenderNameList) -> str:
    return reverse("admin:sender_names_sendernamelist_change", args=[names.pk])
