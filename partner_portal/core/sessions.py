"""Django's sessions in the database, looked up only by what may be a session's key."""

import re

from django.contrib.sessions.backends import db

_KEY = re.compile(r"[a-z0-9]{8,40}")


class SessionStore(db.SessionStore):
    """A cookie may hold any byte in its octal form, and PostgreSQL refuses a question about NUL."""

    def _validate_session_key(self, key: str | None) -> bool:
        return key is not None and _KEY.fullmatch(key) is not None
