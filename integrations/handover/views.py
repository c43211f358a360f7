"""Views that open the partner's cabinet and serve the keys to check its tokens by."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from accounts.pages import owner_page
from accounts.proofs import is_known
from integrations.connections.models import Connection
from integrations.handover.buttons import may_open
from integrations.handover.keys import KEPT_BY_READERS, public_keys
from integrations.handover.tokens import address_with, make_token


@require_POST
@owner_page
def open_cabinet(_request: HttpRequest, owner: User, pk: int) -> HttpResponse:
    """Redirect the owner of a connection to the partner's cabinet, uncached. Unproven owners get no token (403)."""
    mine = Connection.objects.select_related("application", "location").filter(owner=owner)
    connection = get_object_or_404(mine, pk=pk)
    if not may_open(connection, owner):
        raise Http404
    if not is_known(owner):
        raise PermissionDenied
    response = HttpResponseRedirect(address_with(connection.application.handover_url, make_token(connection, owner)))
    response.status_code = 303
    return response


@require_safe
def jwks(_request: HttpRequest) -> JsonResponse:
    """Return the public keys in the form of RFC 7517."""
    response = JsonResponse({"keys": public_keys()})
    response["Cache-Control"] = f"public, max-age={int(KEPT_BY_READERS.total_seconds())}"
    return response
