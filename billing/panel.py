"""The panel of payments due on the control room's first page."""

from typing import Any

from django.db.models import Q

from billing.models import Payment, PaymentStatus, Subscription
from billing.subscriptions import overdue, soon
from integrations.backoffice.dashboard.numbers import capped, list_url
from integrations.backoffice.dashboard.panels import register_panel
from integrations.connections.models import Connection
from partner_portal.core.english import english as _

MAX_URGENT = 5


def payments_due() -> dict[str, Any]:
    """Count trials and periods that end soon or have ended, and payments that Altegio has not taken: five queries."""
    live = Connection.objects.live()

    def due(which: Q, name: str) -> Any:
        return capped(live.filter(which), list_url(Subscription, due=name))

    def payments(status: PaymentStatus) -> Any:
        return capped(Payment.objects.filter(status=status), list_url(Payment, status__exact=status))

    numbers = [
        ("due-over", _("overdue"), due(overdue(), "overdue")),
        ("due-soon", _("ending soon"), due(soon(), "soon")),
        ("failed", _("payments that failed"), payments(PaymentStatus.FAILED)),
        ("queued", _("payments on their way"), payments(PaymentStatus.QUEUED)),
    ]
    urgent = live.filter(soon()).select_related("application", "location").order_by("next_payment_at")
    return {"numbers": numbers, "urgent": urgent[:MAX_URGENT]}


register_panel(
    _("Payments due"), "admin/billing/due_panel.html", payments_due, permission="billing.view_payment", rank=70
)
