"""A brand's style sheet and logo, at addresses that change with their content."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from integrations.connections.models import BrandLogo
from partner_portal.core import brand_styles
from partner_portal.core.colors import parse_color
from partner_portal.core.logos import content_type_of

_FOR_GOOD = "public, max-age=31536000, immutable"
# An SVG opened by itself is a document; this policy lets it run nothing, load nothing, and have no origin.
_INERT = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


@require_safe
def stylesheet(_request: HttpRequest, color: str, version: str) -> HttpResponse:
    """Serve the style sheet of a color. A style sheet of another version of the portal is not cached."""
    try:
        found = parse_color(f"#{color}")
    except ValueError as error:
        raise Http404 from error
    response = HttpResponse(brand_styles.stylesheet(found), content_type="text/css; charset=utf-8")
    response["Cache-Control"] = _FOR_GOOD if version == brand_styles.version_of(found) else "no-cache"
    return response


@require_safe
def logo(_request: HttpRequest, name: str) -> HttpResponse:
    """Serve a logo: the portal's own from memory, an application's from the database."""
    own = settings.BRAND_LOGO
    if own is not None and own.name == name:
        content = own.content
    elif (stored := BrandLogo.objects.filter(pk=name).first()) is not None:
        content = bytes(stored.content)
    else:
        raise Http404
    response = HttpResponse(content, content_type=content_type_of(name))
    response["Cache-Control"] = _FOR_GOOD
    response["Content-Security-Policy"] = _INERT
    return response
