"""The owner asks for the address where they pay."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from accounts.limits import Limit
from billing.models import TariffOption
from billing.offers import NotOffered, ask_for_link
from billing.subscriptions import subscriptions

LINKS = Limit("payment-links", 30, 60)


@require_POST
@login_required
def payment_link(request: HttpRequest, connection_id: int, option_id: int) -> HttpResponse:
    """Ask for the link of one tariff option for one's own connection; the page shows it when it has come."""
    connection = get_object_or_404(subscriptions(), pk=connection_id, owner=request.user)
    option = get_object_or_404(TariffOption, pk=option_id)
    if not LINKS.hit(str(request.user.pk)):
        try:
            ask_for_link(connection, option)
        except NotOffered as reason:
            return HttpResponse(str(reason), status=400, content_type="text/plain")
    return redirect("accounts:home")
