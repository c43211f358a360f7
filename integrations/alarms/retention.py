"""How long alarms are kept after they were cleared. An open one stays until somebody has dealt with it."""

from datetime import datetime

from integrations.alarms.models import Alarm
from partner_portal.retention import delete_first, register_retention


def delete_cleared_alarms(before: datetime) -> int:
    return delete_first(Alarm.objects.filter(cleared_at__lt=before).order_by("pk"))


register_retention("cleared alarms", "RETENTION_ALARMS_DAYS", delete_cleared_alarms)
