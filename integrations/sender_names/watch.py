"""The check for lists of sender names that are queued, but that no call sends to Altegio."""

from integrations.sender_names.call_kinds import SendSenderNames
from integrations.sender_names.names import tell_again
from partner_portal.core.watch import register_check

register_check("sender names: queued", SendSenderNames.untold, tell_again)
