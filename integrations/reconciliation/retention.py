"""Retention of a reconciliation's report after its end. Differences that persist are found again by the next run."""

from datetime import datetime

from django.db.models import Exists, OuterRef

from integrations.reconciliation.models import Finding, Reconciliation
from partner_portal.core.retention import delete_first, register_retention


def delete_old_findings(before: datetime) -> int:
    """Delete findings of runs that had ended by then, even those that a run left unsettled. Returns how many."""
    return delete_first(Finding.objects.filter(run__finished_at__lt=before).order_by("pk"))


def delete_old_runs(before: datetime) -> int:
    """Delete the runs once their findings are gone: a run may have as many findings as there are connections."""
    findings = Finding.objects.filter(run=OuterRef("pk"))
    return delete_first(Reconciliation.objects.filter(~Exists(findings), finished_at__lt=before).order_by("pk"))


register_retention("findings", "RETENTION_ALERTS_DAYS", delete_old_findings)
register_retention("reconciliations", "RETENTION_ALERTS_DAYS", delete_old_runs)
