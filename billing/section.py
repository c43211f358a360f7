"""Notes for the owner's first page: until when each location is paid, how much is due, and how to pay."""

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _

from billing.how_much import how_much
from billing.labels import standing
from billing.ways_to_pay import address_of_partner, options_for, page_to_pay, whom_to_ask
from integrations.connect.section import LOCATION_NOTES, Note
from integrations.connections.models import LIVE, Connection


@LOCATION_NOTES.add()
def _notes(connections: Sequence[Connection]) -> Mapping[int, Note]:
    live = [connection for connection in connections if connection.state in LIVE]
    options = options_for(live)
    prices = how_much(live, options)
    notes = {
        each.pk: _note(each, prices.get(each.pk, ""), has_tariffs=each.application_id in options) for each in live
    }
    return {pk: note for pk, note in notes.items() if note.text or note.url}


def _note(connection: Connection, price: str, *, has_tariffs: bool) -> Note:
    said = " ".join(filter(None, [standing(connection), price]))
    if url := address_of_partner(connection):
        return Note(said, url, _("Pay"), is_elsewhere=True)
    if has_tariffs:
        return Note(said, page_to_pay([connection]), _("Pay"))
    return Note(" ".join(filter(None, [said, whom_to_ask(connection)])))
