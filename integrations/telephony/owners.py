"""The owner's telephony pages: the state of each of their chains, and a retry of a refused switch."""

from typing import Any

from django.db.models import Count, Max, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from accounts.limits import Limit
from accounts.listing import page_of
from accounts.models import User
from accounts.pages import NOTICES, owner_page, register_page, show, to_page
from integrations.connections.models import LIVE, Application, Chain, Connection
from integrations.connections.querysets import shown_to_owner
from integrations.telephony.chains import switch_on_again

HERE = "telephony:list"
TRIES = Limit("telephony-tries", 3, 600)

WORDS = {
    Chain.Telephony.OFF: _("Off"),
    Chain.Telephony.ENABLING: _("Being switched on"),
    Chain.Telephony.ON: _("On"),
    Chain.Telephony.DISABLING: _("Being switched off"),
    Chain.Telephony.FAILED: _("Not switched"),
}
ADVICE = {
    Chain.Telephony.OFF: _(
        "Altegio has not given us the key of this chain. Disconnect the location, and press Connect in Altegio again."
    ),
    Chain.Telephony.ENABLING: _("Altegio has been asked. This goes on by itself."),
    Chain.Telephony.ON: _("Incoming calls show in Altegio."),
    Chain.Telephony.DISABLING: _("Altegio has been asked. This goes on by itself."),
    Chain.Telephony.FAILED: _(
        "Altegio did not accept the switch, and our staff have been told. Try again; if that does not help, "
        "disconnect the location and press Connect in Altegio again: it gives us a new key."
    ),
}
# The style sheet's colour class for each state.
TONES = {
    Chain.Telephony.ENABLING: "pending",
    Chain.Telephony.ON: "active",
    Chain.Telephony.DISABLING: "pending",
    Chain.Telephony.FAILED: "failed",
}


def own_chains(owner: User) -> QuerySet[Chain]:
    """Return the chains at which the owner has a live telephony connection that awaits no review by staff."""
    speaks = shown_to_owner("locations__connections__") & Q(
        locations__connections__owner=owner,
        locations__connections__state__in=LIVE,
        locations__connections__application__kind=Application.Kind.TELEPHONY,
    )
    return (
        Chain.objects.filter(speaks)
        .annotate(connected=Count("locations", distinct=True), example=Max("locations__connections"))
        .order_by("pk")
    )


register_page(50, HERE, _("Telephony"), lambda owner: own_chains(owner).exists())
NOTICES.register("telephony-tried", _("Altegio is being asked once more."))
NOTICES.register(
    "telephony-wait", _("There is nothing to switch now, or you have tried too often. Wait a few minutes.")
)


@require_GET
@owner_page
def chains(request: HttpRequest, owner: User) -> HttpResponse:
    """Show the telephony state of each of the owner's chains, and what to do about it."""
    page = page_of(request, own_chains(owner))
    examples = Connection.objects.select_related("application", "location").in_bulk([chain.example for chain in page])
    rows = [_row(chain, examples[chain.example]) for chain in page]
    return show(request, owner, HERE, "integrations/telephony.html", {"page": page, "rows": rows})


@require_POST
@owner_page
def again(request: HttpRequest, owner: User, chain_id: int) -> HttpResponse:
    """Retry a refused switch of one of the owner's chains; respond 404 for another's chain."""
    if not own_chains(owner).filter(pk=chain_id).exists():
        raise Http404
    tried = not TRIES.hit(f"{owner.pk}:{chain_id}") and switch_on_again(chain_id)
    return to_page(HERE, done="telephony-tried" if tried else "telephony-wait")


def _row(chain: Chain, example: Connection) -> dict[str, Any]:
    state = Chain.Telephony(chain.telephony)
    return {
        "chain": chain,
        # An owner may read the chain's title as soon as they may read the location's.
        "title": chain.title if example.title else "",
        "words": WORDS[state],
        "advice": ADVICE[state],
        "tone": TONES.get(state, "off"),
        "failed": state is Chain.Telephony.FAILED,
        "reconnect_url": example.reconnect_url if state in (Chain.Telephony.FAILED, Chain.Telephony.OFF) else "",
    }
