"""Retention of alerts after they were cleared. An open one stays until somebody has dealt with it."""

from datetime import datetime

from integrations.alerts.models import Alert
from partner_portal.core.retention import delete_first, register_retention


def delete_cleared_alerts(before: datetime) -> int:
    return delete_first(Alert.objects.filter(cleared_at__lt=before).order_by("pk"))


register_retention("cleared alerts", "RETENTION_ALERTS_DAYS", delete_cleared_alerts)
