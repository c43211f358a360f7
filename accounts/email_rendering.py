"""The text of an outgoing e-mail, rendered as it is sent: in its reader's language and the brand that they know.

An e-mail is two templates, `emails/<template>.txt` (its first line is the subject) and `.html`. What its text needs
beyond `params` comes from a builder registered beside the feature, so that a link with a token is made when the
e-mail is sent, and is never stored.
"""

from collections.abc import Callable
from email.utils import formataddr, parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation

from accounts.brands import brand_for
from accounts.models import OutgoingEmail
from accounts.untrusted_text import harmless
from partner_portal.core.brand import Brand
from partner_portal.core.extension_points import ExtensionPoint

Builder = Callable[[dict[str, Any]], dict[str, Any]]
EMAIL_CONTEXTS = ExtensionPoint[Builder](
    "e-mail contexts",
    "What an e-mail's template needs, and whose `brand` it has, made of its stored params and its `person` as it is "
    "sent.",
)
STAFFS = "staff/"


def render(outgoing_email: OutgoingEmail) -> EmailMultiAlternatives:
    """Render an outgoing e-mail in its reader's language. Raises NoRecipientError if it is for nobody."""
    with translation.override(_language_of(outgoing_email)):
        build, params = EMAIL_CONTEXTS.get(outgoing_email.template), outgoing_email.params
        params = params | (build({**params, "person": outgoing_email.person}) if build else {})
        brand: Brand | None = params.pop("brand", None)
        if not outgoing_email.template.startswith(STAFFS):
            brand = brand or brand_for(outgoing_email.person)
        return _message(outgoing_email, harmless({"portal_url": settings.PORTAL_URL, **params}), brand)


def _message(outgoing_email: OutgoingEmail, params: dict[str, Any], brand: Brand | None) -> EmailMultiAlternatives:
    """Return the message in the brand that its reader knows; staff's e-mails are the portal's own and have none."""
    # The reader's own address goes to nobody else, so it stays as it is.
    context = {**params, "brand": brand, "to": outgoing_email.to}
    text = render_to_string(f"emails/{outgoing_email.template}.txt", context)
    subject, _, body = text.partition("\n")
    message = EmailMultiAlternatives(subject.strip(), f"{body.strip()}\n", to=[outgoing_email.to])
    if brand is not None:
        message.body += "\n" + render_to_string("emails/_footer.txt", context)
        message.from_email = formataddr((brand.name, parseaddr(settings.DEFAULT_FROM_EMAIL)[1]))
        message.reply_to = [brand.support_email] if brand.support_email else []
    html = render_to_string(f"emails/{outgoing_email.template}.html", context | {"subject": subject.strip()})
    message.attach_alternative(html, "text/html")
    return message


def _language_of(outgoing_email: OutgoingEmail) -> str:
    """Return the language stored with the e-mail; else its reader's, else the default."""
    language_of_reader = outgoing_email.person.language if outgoing_email.person else ""
    return outgoing_email.language or language_of_reader or settings.LANGUAGE_CODE
