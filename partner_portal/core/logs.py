"""Structured logs: one line for each event, with the request id that follows the work, and without secrets."""

import logging
import logging.config
from collections.abc import ItemsView
from http import HTTPStatus
from typing import Any

import structlog
from django.http import HttpRequest
from django.utils.regex_helper import _lazy_re_compile
from django.utils.safestring import SafeString
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter


def hide_secrets(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Mask every value that is not a number, as the last processor before the line is rendered.

    The request itself, which Django adds to its error lines, is dropped: its URL may contain signed user data.
    """
    from partner_portal.core.masking import mask_for_log  # settings load this module before they are complete

    event.pop("request", None)
    return {
        key: value if value is None or isinstance(value, bool | int | float) else mask_for_log(str(value))
        for key, value in event.items()
    }


def lower_refusals(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Log requests that Django refuses (wrong Host, NUL in the path) as warnings without a traceback.

    They are the sender's fault, and anybody can send thousands of them; a real error would drown in these.
    """
    if (
        str(event.get("logger", "")).startswith("django.security")
        or event.get("status_code") == HTTPStatus.BAD_REQUEST
    ):
        event.pop("exc_info", None)
        event["level"] = "warning"
    return event


def logging_config(*, level: str, as_json: bool) -> dict[str, Any]:
    """Return the `LOGGING` setting: JSON for machines, or aligned text for a developer's terminal."""
    return {"level": level, "as_json": as_json}


def configure(config: dict[str, Any]) -> None:
    """Set up structlog and the standard library to write lines of the same form (`LOGGING_CONFIG`)."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        lower_refusals,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if config["as_json"]
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "line": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        hide_secrets,
                        renderer,
                    ],
                    "foreign_pre_chain": [structlog.stdlib.ExtraAdder(), *shared],
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": config["level"]},
            "loggers": {
                # Without this, dispatches and sweeps write two useless lines a second.
                "celery.worker.strategy": {"level": "WARNING"},
                "celery.app.trace": {"level": "WARNING"},
                "celery.beat": {"level": "WARNING"},
                "kombu.connection": {"level": "ERROR"},
                "urllib3": {"level": "WARNING"},
                # Apprise logs whole URLs with their secrets; our event `alerts_not_announced` says what failed.
                "apprise": {"level": "CRITICAL"},
            },
        }
    )


class SecretFreeReporterFilter(SafeExceptionReporterFilter):
    """Django's filter of error reports, which also hides query strings, form fields, cookies and local variables."""

    hidden_settings = _lazy_re_compile(
        r"API|AUTH|TOKEN|KEY|SECRET|PASS|SIGNATURE|HTTP_COOKIE|DSN|DATABASES|REDIS|BROKER|EMAIL|QUERY_STRING"
        r"|REQUEST_URI|RAW_URI|CACHES|ALERT_URLS",
        flags=2,
    )

    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        return dict.fromkeys(request.POST, self.cleansed_substitute) if request is not None else {}

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: Any) -> ItemsView[str, Any]:
        return dict.fromkeys(tb_frame.f_locals, self.cleansed_substitute).items()


class SecretFreeReporter(ExceptionReporter):
    """Django's error report without the URL's query, which may contain signed user data."""

    def _get_raw_insecure_uri(self) -> str:
        return self.request.path if self.request else ""

    def get_traceback_data(self) -> dict[str, Any]:
        data = super().get_traceback_data()
        data["request_GET_items"] = []
        return data

    def get_traceback_html(self) -> SafeString:
        return self._masked(super().get_traceback_html())

    def get_traceback_text(self) -> SafeString:
        return self._masked(super().get_traceback_text())

    def _masked(self, report: SafeString) -> SafeString:
        """Mask the report: the path and the referrer may contain an owner's frame token or a link's token."""
        from partner_portal.core.masking import mask  # settings load this module before they are complete

        return SafeString(mask(report))
