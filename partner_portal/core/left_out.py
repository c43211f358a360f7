"""Warnings about fields that were dropped from accepted data: `[{"field": "…", "message": "…"}]`."""


def left_out_of(warnings: object) -> list[tuple[str, str]]:
    """Return each dropped field with the reason; an empty list if `warnings` is no such list."""
    listed = warnings if isinstance(warnings, list) else []
    return [
        (str(warning.get("field", "")), str(warning.get("message", "")))
        for warning in listed
        if isinstance(warning, dict)
    ]
