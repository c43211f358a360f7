"""A cabinet that lets owners in from the portal: it checks the token of a hand-over, once. See docs/handover.md.

    PORTAL_URL=https://portal.example.com APPLICATION_ID=77 python examples/handover/cabinet.py 9100

It needs the package `PyJWT[crypto]`.
"""

import html
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt

PORTAL_URL = os.environ["PORTAL_URL"]
AUDIENCE = f"altegio:{os.environ['APPLICATION_ID']}"
CLAIMS = ["iss", "aud", "sub", "iat", "exp", "jti"]
# The client keeps the keys for ten minutes, and reads them again if a token names one that it does not know.
keys = jwt.PyJWKClient(f"{PORTAL_URL}/.well-known/jwks.json", lifespan=600, timeout=10)
# In your system this is a table with a unique column; a row may be deleted after two minutes.
used: dict[str, object] = {}


def owner_of(token: str) -> dict[str, Any]:
    """Return the claims of a token: the owner whom the portal hands over.

    Raises jwt.PyJWTError for any token but a fresh one of the portal's that is used for the first time.
    """
    claims: dict[str, Any] = jwt.decode(
        token,
        keys.get_signing_key_from_jwt(token).key,
        algorithms=["ES256"],
        audience=AUDIENCE,
        issuer=PORTAL_URL,
        leeway=10,
        options={"require": CLAIMS},
    )
    mine = object()
    if used.setdefault(claims["jti"], mine) is not mine:
        raise jwt.InvalidTokenError("This token was used before.")
    return claims


class Cabinet(BaseHTTPRequestHandler):
    """A handler whose address `/open?token=…` is the application's `handover_url`."""

    def do_GET(self) -> None:
        token = parse_qs(urlsplit(self.path).query).get("token", [""])[0]
        try:
            owner = owner_of(token)
        except jwt.PyJWTError as reason:
            self._answer(403, f"Open this page from the portal again. ({reason})")
            return
        # Here a cabinet opens a session and redirects, so that the token is gone from the address.
        self._answer(
            200, f"Good day, {owner['name']}: customer {owner['external_id']}, location {owner['salon_id']}."
        )

    def _answer(self, status: int, text: str) -> None:
        body = html.escape(text).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Log nothing: the address holds the token."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Cabinet).serve_forever()
