"""Where an owner's pages lead to the partner's cabinet: for whom, and with which button."""

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
    """A form that leads there."""

    url: str
    label: str


def may_open(connection: Connection, owner: User) -> bool:
    """Return whether this owner is handed over from here; whether they are known is asked by `is_known`.

    The cabinet shows the location's data: nobody gets there while staff must look first.
    """
    is_theirs = connection.state in LIVE and connection.owner_id == owner.pk
    return is_theirs and connection.is_shown_to_owner and bool(connection.application.handover_url)


def open_buttons(request: HttpRequest, owner: User, connections: Iterable[Connection]) -> dict[int, OpenButton]:
    """The buttons of those connections that have one, by their keys; the page may send its forms there."""
    shown = [connection for connection in connections if may_open(connection, owner)]
    if not shown or not is_known(owner):
        return {}
    for connection in shown:
        allow_cabinet(request, connection.application)
    return {connection.pk: _button(connection) for connection in shown}


def allow_cabinet(request: HttpRequest, application: Application) -> None:
    """The page's forms may end at the application's cabinet."""
    if application.handover_url:
        allow_forms_to(request, origin_of(application.handover_url))


def _button(connection: Connection) -> OpenButton:
    label = _("Open %(brand)s") % {"brand": brand_of(connection.application).name}
    return OpenButton(reverse("handover:open", args=[connection.pk]), label)
