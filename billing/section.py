"""On the owner's first page: until when each location is paid, and the way to pay."""

from collections.abc import Mapping, Sequence

from django.urls import reverse
from django.utils.translation import gettext as _

from billing.labels import standing
from integrations.connect.section import LOCATION_NOTES, Note
from integrations.connections.models import LIVE, Connection


@LOCATION_NOTES.add()
def _notes(connections: Sequence[Connection]) -> Mapping[int, Note]:
    return {connection.pk: _note(connection) for connection in connections if connection.state in LIVE}


def _note(connection: Connection) -> Note:
    url = f"{reverse('billing:subscriptions')}?q={connection.location.altegio_id}"
    return Note(standing(connection), url, _("Pay"))
