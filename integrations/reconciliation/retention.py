"""How long the report of a reconciliation is kept after its end. What still holds the next one finds again."""

from datetime import datetime

from django.db.models import Exists, OuterRef

from integrations.reconciliation.models import Finding, Reconciliation
from partner_portal.core.retention import delete_first, register_retention


def delete_old_findings(before: datetime) -> int:
    """Those of runs that had ended by then: also what a run that was given up has never settled."""
    return delete_first(Finding.objects.filter(run__finished_at__lt=before).order_by("pk"))


def delete_old_runs(before: datetime) -> int:
    """The runs themselves, once their findings are gone: a run may have as many as there are connections."""
    findings = Finding.objects.filter(run=OuterRef("pk"))
    return delete_first(Reconciliation.objects.filter(~Exists(findings), finished_at__lt=before).order_by("pk"))


register_retention("findings", "RETENTION_ALERTS_DAYS", delete_old_findings)
register_retention("reconciliations", "RETENTION_ALERTS_DAYS", delete_old_runs)
