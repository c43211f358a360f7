"""Django's database sessions, with a check of the key before the lookup."""

import re

from django.contrib.sessions.backends import db

_KEY = re.compile(r"[a-z0-9]{8,40}")


class SessionStore(db.SessionStore):
    """A session store that refuses malformed keys: a cookie may contain a NUL, which PostgreSQL refuses to query."""

    def _validate_session_key(self, key: str | None) -> bool:
        return key is not None and _KEY.fullmatch(key) is not None
