"""What was left out of something that was taken, as it is stored and answered: `[{"field": "…", "message": "…"}]`."""


def left_out_of(warnings: object) -> list[tuple[str, str]]:
    """The fields and why each was left out; nothing for what is no such list."""
    listed = warnings if isinstance(warnings, list) else []
    return [
        (str(warning.get("field", "")), str(warning.get("message", "")))
        for warning in listed
        if isinstance(warning, dict)
    ]
