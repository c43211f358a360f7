"""Error reports to Sentry if a DSN is set, without secrets."""

from typing import Any

import sentry_sdk
from sentry_sdk.integrations.logging import ignore_logger


def start(dsn: str) -> None:
    """Send errors to `dsn`, without local variables, request bodies, cookies or query strings.

    Requests that Django refuses are not reported: they are their senders' fault, and anybody can send any number.
    """
    ignore_logger("django.security.*")
    sentry_sdk.init(
        dsn=dsn,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        traces_sample_rate=0.0,
        before_send=without_secrets,
        before_breadcrumb=lambda crumb, _hint: hidden(crumb),
    )


def without_secrets(event: Any, _hint: Any = None) -> Any:
    """Mask every text of an event before Sentry sends it; of the request keep only the method and the URL's path."""
    request = event.get("request", {})
    for name in ("query_string", "cookies", "headers", "data", "env"):
        request.pop(name, None)
    if isinstance(request.get("url"), str):
        request["url"] = request["url"].partition("?")[0]
    return hidden(event)


def hidden(value: Any) -> Any:
    """Return `value` with every text in it masked and shortened, also in nested dictionaries and lists."""
    from partner_portal.core.masking import mask_for_log  # settings load this module before they are complete

    if isinstance(value, str):
        return mask_for_log(value)
    if isinstance(value, dict):
        return {name: hidden(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [hidden(part) for part in value]
    return value
