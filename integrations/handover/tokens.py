"""The token that hands an owner over to the partner's cabinet, and the address that carries it (docs/handover.md)."""

import time
import uuid
from urllib.parse import urlencode, urlsplit, urlunsplit

import jwt
from django.conf import settings

from accounts.models import User
from accounts.proofs import has_proven_address
from integrations.connections.models import Connection
from integrations.handover.keys import ALGORITHM, signing_key

# In seconds; the browser follows the redirect at once.
AGE = 60


def make_token(connection: Connection, owner: User) -> str:
    """Return a signed token for this owner of `connection`, good once and for a minute."""
    key = signing_key()
    now = int(time.time())
    claims = {
        "iss": settings.PORTAL_URL,
        "aud": f"altegio:{connection.application.altegio_id}",
        "sub": str(owner.pk),
        "email": owner.email,
        "email_verified": has_proven_address(owner),
        "name": owner.name,
        "connection_id": connection.pk,
        "salon_id": connection.location.altegio_id,
        "external_id": _external_id(connection, owner) or None,
        "iat": now,
        "exp": now + AGE,
        "jti": uuid.uuid4().hex,
    }
    return jwt.encode(claims, key.private_key, ALGORITHM, headers={"kid": key.kid})


def _external_id(connection: Connection, owner: User) -> str:
    """Return the partner's id if it is proven to be the owner's, else "".

    A customer's id is found by the e-mail, and Altegio's signature does not prove that its person reads the mail
    there: in the cabinet they would be somebody else.
    """
    is_proven = connection.has_own_external_id or has_proven_address(owner)
    return connection.external_id if is_proven else ""


def address_with(handover_url: str, token: str) -> str:
    """Return the cabinet's address with the token appended to its query."""
    address = urlsplit(handover_url)
    query = "&".join(filter(None, (address.query, urlencode({"token": token}))))
    return urlunsplit(address._replace(query=query))


def origin_of(handover_url: str) -> str:
    """Return the cabinet's origin, as a security policy names it."""
    address = urlsplit(handover_url)
    return f"{address.scheme}://{address.netloc}"
