"""The states' names on owners' pages."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# In the order in which the owner should look at them.
LABELS: dict[str, Promise] = {
    "failed": _("Not connected"),
    "expired": _("Expired"),
    "conflict": _("In review"),
    "uninstalled": _("Disconnected"),
    "frozen": _("Frozen"),
    "pending": _("Waiting"),
    "active": _("Connected"),
}
