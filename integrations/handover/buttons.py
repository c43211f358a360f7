"""Buttons on an owner's pages that lead to the partner's cabinet, and who gets them."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.proofs import is_known
from integrations.connections.brand import brand_of
from integrations.connections.models import LIVE, Application, Connection
from integrations.handover.tokens import origin_of
from partner_portal.core.form_targets import allow_forms_to


@dataclass(frozen=True)
class OpenButton:
    """A form that leads to the cabinet."""

    url: str
    label: str


def may_open(connection: Connection, owner: User) -> bool:
    """Return whether this owner may be handed over from this connection; `is_known` checks whether they are known.

    The cabinet shows the location's data, so nobody gets there while staff must look at it first.
    """
    is_theirs = connection.state in LIVE and connection.owner_id == owner.pk
    return is_theirs and connection.is_shown_to_owner and bool(connection.application.handover_url)


def open_buttons(request: HttpRequest, owner: User, connections: Iterable[Connection]) -> dict[int, OpenButton]:
    """Return the buttons of the connections that have one, by primary key; the page's forms may then lead there."""
    shown = [connection for connection in connections if may_open(connection, owner)]
    if not shown or not is_known(owner):
        return {}
    for connection in shown:
        allow_cabinet(request, connection.application)
    return {connection.pk: _button(connection) for connection in shown}


def allow_cabinet(request: HttpRequest, application: Application) -> None:
    """Allow the page's forms to end at the application's cabinet."""
    if application.handover_url:
        allow_forms_to(request, origin_of(application.handover_url))


def _button(connection: Connection) -> OpenButton:
    label = _("Open %(brand)s") % {"brand": brand_of(connection.application).name}
    return OpenButton(reverse("handover:open", args=[connection.pk]), label)
