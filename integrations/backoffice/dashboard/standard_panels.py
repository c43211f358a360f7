"""The registration of the marketplace's own panels, in their order on the page."""

from integrations.backoffice.dashboard.funnel import funnel
from integrations.backoffice.dashboard.now import (
    calls,
    connections_by_state,
    new_drift,
    open_alerts,
    running,
    running_out,
)
from integrations.backoffice.dashboard.panels import register_panel
from integrations.backoffice.dashboard.since_yesterday import since_yesterday
from partner_portal.core.english import english as _

CONNECTIONS = "connections.view_connection"

register_panel(_("Is it running?"), "admin/dashboard/running.html", running, permission=CONNECTIONS, rank=5)
register_panel(_("Open alerts"), "admin/dashboard/alerts.html", open_alerts, permission="alerts.view_alert", rank=10)
register_panel(
    _("Running out of time"), "admin/dashboard/running_out.html", running_out, permission=CONNECTIONS, rank=20
)
register_panel(
    _("Calls to Altegio"), "admin/dashboard/calls.html", calls, permission="outbox.view_outgoingcall", rank=30
)
register_panel(
    _("Unknown at Altegio"), "admin/dashboard/drift.html", new_drift, permission="contract_drift.view_drift", rank=35
)
register_panel(
    _("Connections now"), "admin/dashboard/connections.html", connections_by_state, permission=CONNECTIONS, rank=40
)
register_panel(
    _("Since yesterday"), "admin/dashboard/since_yesterday.html", since_yesterday, permission=CONNECTIONS, rank=50
)
register_panel(
    _("From arrival to activation"), "admin/dashboard/funnel.html", funnel, permission=CONNECTIONS, rank=60, wide=True
)
