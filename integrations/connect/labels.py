"""Names of the states on owners' pages."""

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

# The order in which the owner should look at them.
LABELS: dict[str, Promise] = {
    "failed": pgettext_lazy("state of a location", "Not connected"),
    "expired": pgettext_lazy("state of a location", "Expired"),
    "conflict": pgettext_lazy("state of a location", "In review"),
    "uninstalled": pgettext_lazy("state of a location", "Disconnected"),
    "frozen": pgettext_lazy("state of a location", "Frozen"),
    "pending": pgettext_lazy("state of a location", "Waiting"),
    "active": pgettext_lazy("state of a location", "Connected"),
}
