"""Lists of sender names that nobody tells Altegio about."""

from datetime import datetime

from django.db.models import OuterRef, QuerySet

from integrations.connections.models import SyncState
from integrations.outbox.watch import unfinished
from integrations.sender_names.call_kinds import SendSenderNames
from integrations.sender_names.models import SenderNameList
from integrations.sender_names.names import tell_again
from partner_portal.core.watch import register_check


def _untold(now: datetime) -> QuerySet[SenderNameList]:
    application, location = OuterRef("installation__application"), OuterRef("installation__location")
    here = {"connection__application": application, "connection__location": location}
    waits = unfinished(kind=SendSenderNames.name, **here)
    return SenderNameList.objects.filter(~waits, sync_state=SyncState.QUEUED)


register_check("sender names: queued", _untold, tell_again)
