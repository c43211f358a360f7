"""On the owner's first page: until when each location is paid, and the way to pay."""

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _

from billing.labels import standing
from billing.ways_to_pay import address_of_partner, options_for, page_to_pay, whom_to_ask
from integrations.connect.section import LOCATION_NOTES, Note
from integrations.connections.models import LIVE, Connection


@LOCATION_NOTES.add()
def _notes(connections: Sequence[Connection]) -> Mapping[int, Note]:
    live = [connection for connection in connections if connection.state in LIVE]
    options = options_for(live)
    notes = {each.pk: _note(each, has_tariffs=each.application_id in options) for each in live}
    return {pk: note for pk, note in notes.items() if note.text or note.url}


def _note(connection: Connection, *, has_tariffs: bool) -> Note:
    if url := address_of_partner(connection):
        return Note(standing(connection), url, _("Pay"), is_elsewhere=True)
    if has_tariffs:
        return Note(standing(connection), page_to_pay([connection]), _("Pay"))
    return Note(" ".join(filter(None, [standing(connection), whom_to_ask(connection)])))
