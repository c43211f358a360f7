"""Warnings about fields that were dropped from accepted data: `[{"field": "…", "message": "…"}]`."""

from partner_portal.core.english import english as _

# At most this many dropped fields are named; the rest are only counted.
MAX_WARNINGS = 100
Warnings = list[dict[str, str]]


def shortened(warnings: Warnings) -> Warnings:
    """Return the first `MAX_WARNINGS` warnings, and one that counts the others, if there are more."""
    more = len(warnings) - MAX_WARNINGS
    counted = {"field": "…", "message": _("So many more fields were left out: %d.") % more}
    return [*warnings[:MAX_WARNINGS], counted] if more > 0 else warnings


def left_out_of(warnings: object) -> list[tuple[str, str]]:
    """Return each dropped field with the reason; an empty list if `warnings` is no such list."""
    listed = warnings if isinstance(warnings, list) else []
    return [
        (str(warning.get("field", "")), str(warning.get("message", "")))
        for warning in listed
        if isinstance(warning, dict)
    ]
