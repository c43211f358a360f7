"""Settings of the REST API: authentication, parsing, rendering, errors and schema (docs/interface.md)."""

from pathlib import Path

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.api_keys.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.api_keys.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["partner_portal.core.exact_json.ExactRenderer"],
    "DEFAULT_PARSER_CLASSES": ["partner_portal.core.api_errors.Json"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "partner_portal.core.api_errors.AnyAccept",
    "EXCEPTION_HANDLER": "partner_portal.core.api_errors.refuse",
    "DEFAULT_SCHEMA_CLASS": "partner_portal.core.openapi.ScopedSchema",
    "DEFAULT_PAGINATION_CLASS": "partner_portal.core.pagination.Cursor",
    "DEFAULT_FILTER_BACKENDS": ["partner_portal.core.list_parameters.KnownParameters"],
    "URL_FORMAT_OVERRIDE": None,  # `format` is refused like any other unknown parameter
    "PAGE_SIZE": 100,
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Altegio partner portal",
    "DESCRIPTION": Path(__file__).with_name("api.md").read_text(encoding="utf-8"),
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "partner_portal.core.openapi.with_refusals",
        "partner_portal.core.openapi.with_numbers_of_locations",
    ],
    "ENUM_NAME_OVERRIDES": {
        "EventType": "integrations.partner_events.types.CHOICES",
        "PaymentStatus": "billing.models.PaymentStatus",
        "PhoneCallType": "integrations.telephony.models.PhoneCall.Type",
        "PhoneCallState": "integrations.telephony.models.PhoneCall.State",
        "PhoneCallStatus": "integrations.telephony.models.PhoneCall.Status",
        "StatusBatchState": "integrations.messaging.models.BatchState",
        "SmsStatus": "integrations.messaging.models.SmsStatus",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}
