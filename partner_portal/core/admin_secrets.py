"""One-time display of a new secret to its creator, on the next visit to the page of its row.

Until then the secret is encrypted in the session, for at most ten minutes: neither a cookie nor a column holds it in
plain text.
"""

import json
from datetime import datetime, timedelta
from typing import Any, cast

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from partner_portal.core.encryption import decrypt, encrypt

SHOWN_WITHIN = timedelta(minutes=10)
_KEY = "new_secrets"


def keep_for_showing(request: HttpRequest, row: Model, secret: str) -> None:
    """Show `secret` at this session's next visit to the row's page."""
    waiting = request.session.get(_KEY, {})
    content = json.dumps({"secret": secret, "at": timezone.now().isoformat()})
    request.session[_KEY] = {**waiting, _name(row): encrypt(content)}


def take_for_showing(request: HttpRequest, row: Model) -> str:
    """Return and forget the secret that is to be shown with this row; "" if there is none or it is too old."""
    waiting = dict(request.session.get(_KEY, {}))
    if (kept := waiting.pop(_name(row), None)) is None:
        return ""
    request.session[_KEY] = waiting
    content = json.loads(decrypt(kept))
    is_fresh = timezone.now() - datetime.fromisoformat(content["at"]) < SHOWN_WITHIN
    return cast("str", content["secret"]) if is_fresh else ""


def _name(row: Model) -> str:
    return f"{row._meta.label_lower}:{row.pk}"


class ShowsNewSecret(admin.ModelAdmin[Any]):
    """An admin whose rows get a secret from the portal: after one is added, its page opens and shows the secret."""

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        super().response_add(request, obj, post_url_continue)
        opts = self.model._meta
        return HttpResponseRedirect(reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[obj.pk]))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = context.get("original")
        context["new_secret"] = take_for_showing(request, row) if row is not None and request.method == "GET" else ""
        return super().render_change_form(request, context, *args, **kwargs)
