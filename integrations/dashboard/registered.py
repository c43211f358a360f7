"""The marketplace's own panels, in the order in which they are read."""

from django.utils.translation import gettext_lazy as _

from integrations.dashboard.funnel import funnel
from integrations.dashboard.now import calls, connections_by_state, open_alarms, running_out
from integrations.dashboard.panels import register_panel
from integrations.dashboard.since_yesterday import since_yesterday

CONNECTIONS = "integrations.view_connection"

register_panel(_("Open alarms"), "admin/dashboard/alarms.html", open_alarms, permission="integrations.view_alarm")
register_panel(_("Running out of time"), "admin/dashboard/running_out.html", running_out, permission=CONNECTIONS)
register_panel(
    _("Calls to Altegio"), "admin/dashboard/calls.html", calls, permission="integrations.view_outgoingcall"
)
register_panel(_("Connections now"), "admin/dashboard/connections.html", connections_by_state, permission=CONNECTIONS)
register_panel(_("Since yesterday"), "admin/dashboard/since_yesterday.html", since_yesterday, permission=CONNECTIONS)
register_panel(
    _("From arrival to activation"), "admin/dashboard/funnel.html", funnel, permission=CONNECTIONS, wide=True
)
