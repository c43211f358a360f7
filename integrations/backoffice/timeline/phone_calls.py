"""The timeline's entries about phone calls."""

from collections.abc import Iterator

from django.db.models import Q

from integrations.backoffice.timeline.entries import TIMELINE, Entry, Rank
from integrations.connections.models import Application, Connection
from integrations.telephony.models import PhoneCall
from partner_portal.core.english import english as _

MAX_COUNT = 50


@TIMELINE.add(rank=55)
def phone_calls(connection: Connection) -> Iterator[Entry]:
    """Yield the location's newest phone calls, including those of its chain that name no location."""
    if connection.application.kind != Application.Kind.TELEPHONY:
        return
    mine = Q(location=connection.location_id)
    if connection.location.chain_id is not None:
        mine |= Q(chain=connection.location.chain_id, location=None)
    for call in PhoneCall.objects.filter(mine).order_by("-pk")[:MAX_COUNT]:
        detail = " · ".join(filter(None, (call.get_state_display(), call.remark)))
        bad = call.state == PhoneCall.State.FAILED
        yield Entry(call.received_at, Rank.CONSEQUENCE, _("phone call"), str(call), detail, call, is_bad=bad)
