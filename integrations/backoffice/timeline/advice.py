"""The marketplace's own next steps, by the connection's state, its open alerts and its chain's telephony."""

from collections.abc import Iterator

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from integrations.activation.call_kinds import Activate
from integrations.alerts.models import Alert
from integrations.backoffice.timeline.next_steps import NEXT_STEPS, NextStep
from integrations.connections.models import Chain, Connection, State
from integrations.outbox.models import UNFINISHED, CallState
from integrations.outbox.token_stop import token_is_stopped
from partner_portal.core.english import english as _

MAX_ALERTS = 5
SAID_BY_THE_STATE = (Alert.Kind.WINDOW, Alert.Kind.CONFLICT, Alert.Kind.REVIEW, Alert.Kind.ENDED)


@NEXT_STEPS.add(rank=10)
def by_state(connection: Connection) -> Iterator[NextStep]:
    """Yield the steps that the connection's state calls for."""
    match State(connection.state):
        case State.GRANTED:
            yield from _waiting(connection)
        case State.ACTIVE:
            yield from _active(connection)
        case State.FROZEN:
            text = _("Altegio has frozen it until the subscription is paid. If it is paid, ask Altegio what is true.")
            yield NextStep(text, action="ask", is_trouble=True)
        case State.UNINSTALLED:
            yield _press_connect_again(connection, _("It is disconnected."))
        case State.EXPIRED | State.FAILED:
            yield _press_connect_again(connection, _("It is not connected."), is_trouble=True)
            text = _("Or try again from here: Altegio is asked first, and often the owner need not do anything.")
            yield NextStep(text, action="try_again")
        case State.CONFLICT:
            yield from _conflict(connection)


def _waiting(connection: Connection) -> Iterator[NextStep]:
    if token_is_stopped():
        text = _(
            "Altegio refuses the partner token, so nothing is sent. Correct the token, then let the calls go on."
        )
        yield NextStep(text, url=reverse("admin:outbox_tokenstop_changelist"), label=_("Token"), is_trouble=True)
        return
    call = connection.calls.filter(kind=Activate.name, state__in=UNFINISHED).order_by("-pk").first()
    if call is None or connection.deadline_at <= timezone.now():
        text = _("The window is over, and what Altegio decided is not known yet.")
        yield NextStep(text, action="ask", is_trouble=True)
    elif call.state == CallState.HELD:
        yield NextStep(_("The activation is held back until you release it."), action="release", is_trouble=True)
    elif call.setbacks:
        text = _("Altegio has not answered well so far: %(reason)s The portal goes on by itself.") % {
            "reason": call.reason
        }
        yield NextStep(text, action="try_again", is_trouble=True)
    else:
        yield NextStep(_("Altegio is being asked to switch it on. This takes seconds."), action="try_again")


def _active(connection: Connection) -> Iterator[NextStep]:
    if connection.review:
        text = _("The owner does not see the location's data: %(why)s Does it belong to this person?") % {
            "why": connection.review
        }
        yield NextStep(text, action="pass_review", is_trouble=True)
    if connection.owner is None:
        text = _("It works, but nobody is bound to it: the person must sign in with the password of the account.")
        yield NextStep(text, is_trouble=True)
    yield NextStep(
        _("It is connected, and nothing is known to be wrong. Does it not work? Ask Altegio what is true."),
        in_trouble=_("It is connected. Does it not work? Ask Altegio what is true."),
        action="ask",
    )


def _alerts_beyond_the_state(connection: Connection) -> QuerySet[Alert]:
    return Alert.objects.filter(connection=connection, cleared_at=None).exclude(kind__in=SAID_BY_THE_STATE)


def _press_connect_again(connection: Connection, lead: str, *, is_trouble: bool = False) -> NextStep:
    text = _("%(lead)s The owner opens this page in Altegio and presses Connect.") % {"lead": lead}
    label = _("Reconnect page")
    return NextStep(text, url=connection.reconnect_url, label=label, is_trouble=is_trouble)


def _conflict(connection: Connection) -> Iterator[NextStep]:
    text = _("Somebody else claims the location, or holds it. Find out who owns it, then decide for this person …")
    yield NextStep(text, action="give", is_trouble=True)
    yield NextStep(_("… or against."), action="dismiss", is_trouble=True)
    rivals = Connection.objects.beside(connection).undecided()
    for rival in rivals.select_related("claimant")[:MAX_ALERTS]:
        url = reverse("admin:connections_connection_change", args=[rival.pk])
        yield NextStep(_("The other claim"), url=url, label=str(rival.claimant or f"#{rival.pk}"))


@NEXT_STEPS.add(rank=20)
def open_alerts(connection: Connection) -> Iterator[NextStep]:
    """Yield a step for each open alert, except those of kinds that the state's own steps cover."""
    for alert in _alerts_beyond_the_state(connection).order_by("-pk")[:MAX_ALERTS]:
        url = reverse("admin:alerts_alert_change", args=[alert.pk])
        action = "mend_webhooks" if alert.kind == Alert.Kind.SETTINGS else ""
        yield NextStep(alert.text, action=action, url=url, label=_("Alert"), is_trouble=True, alert=alert.key)


@NEXT_STEPS.add(rank=30)
def telephony(connection: Connection) -> Iterator[NextStep]:
    """Yield a step if the chain's telephony could not be switched."""
    chain = connection.location.chain
    if chain is not None and chain.telephony == Chain.Telephony.FAILED:
        text = _("Telephony could not be switched: %(why)s") % {"why": chain.telephony_error}
        url = reverse("admin:connections_chain_change", args=[chain.pk])
        yield NextStep(text, action="switch_on", row=chain, url=url, label=_("Chain"), is_trouble=True)
