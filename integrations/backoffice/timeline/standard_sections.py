"""The marketplace's own sections and next steps on a connection's page: sender names and webhooks."""

from collections.abc import Iterator

from django.db.models import Count
from django.urls import reverse

from accounts.models import User
from integrations.alerts.receivers import alert_prefix
from integrations.backoffice.timeline.next_steps import NEXT_STEPS, NextStep
from integrations.backoffice.timeline.sections import CASE_SECTIONS, CaseSection, SectionLine
from integrations.connections.models import Connection, SyncState
from integrations.partner_events.models import WebhookDelivery
from integrations.sender_names.call_kinds import SendSenderNames
from integrations.sender_names.models import IN_FORCE, NameState, SenderNameList
from partner_portal.core.english import english as _

MAX_ASKED = 5


@NEXT_STEPS.add(rank=26)
def sender_names_refused(connection: Connection) -> Iterator[NextStep]:
    """Yield a step if Altegio does not have the sender names as they are."""
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
        says_alerts=(alert_prefix(SendSenderNames.name),),
    )


def _names(connection: Connection) -> SenderNameList | None:
    return SenderNameList.objects.of(connection).select_related("installation").first()


@NEXT_STEPS.add(rank=27)
def sender_names_asked(connection: Connection) -> Iterator[NextStep]:
    """Yield a step for each sender name that the owner has asked for and that staff have not decided on."""
    names = _names(connection)
    if names is None:
        return
    for name in names.names.filter(state=NameState.ASKED).order_by("pk")[:MAX_ASKED]:
        text = _("The owner asks for the sender name “%(name)s”.") % {"name": name.name}
        url = reverse("admin:sender_names_sendername_change", args=[name.pk])
        yield NextStep(text, action="grant", row=name, url=url, label=_("Decide"), is_trouble=True)


@CASE_SECTIONS.add(rank=20)
def sender_names(connection: Connection, reader: User) -> Iterator[CaseSection]:
    """Yield the names in force and the names asked for, and whether Altegio has the list."""
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
    lines = [SectionLine(_("in force"), in_force or "–"), SectionLine(_("at Altegio"), state, is_bad)]
    if asked:
        lines.append(SectionLine(_("asked for by the owner"), asked))
    yield CaseSection(_("Sender names"), lines, ((_page_of(names), _("The list")),))


@CASE_SECTIONS.add(rank=50)
def webhooks(connection: Connection, reader: User) -> Iterator[CaseSection]:
    """Yield the counts of the connection's webhook deliveries that wait or are dead letters."""
    if not reader.has_perm("partner_events.view_webhookdelivery"):
        return
    state = WebhookDelivery.State
    open_ones = WebhookDelivery.objects.filter(event__connection=connection, state__in=(state.WAITING, state.DEAD))
    counts = dict(open_ones.order_by().values_list("state").annotate(Count("pk")))
    lines = [
        SectionLine(_("waiting"), str(counts.get(state.WAITING, 0))),
        SectionLine(_("dead letters"), str(counts.get(state.DEAD, 0)), is_bad=state.DEAD in counts),
    ]
    deliveries = reverse("admin:partner_events_webhookdelivery_changelist")
    links = ((f"{deliveries}?event__connection__id__exact={connection.pk}", _("The deliveries")),) if counts else ()
    yield CaseSection(_("Webhooks to your systems"), lines, links)


def _page_of(names: SenderNameList) -> str:
    return reverse("admin:sender_names_sendernamelist_change", args=[names.pk])
