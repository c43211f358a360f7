"""A template tag, `{% load terms %}`: what people accept when they go on."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from partner_portal.core.brand import Brand

register = template.Library()


@register.simple_tag
def what_is_accepted(brand: Brand) -> SafeString:
    """Return "By continuing you accept …", with links; "" if the brand has neither terms nor a privacy policy."""
    terms, privacy = _link(brand.terms_url, _("terms of use")), _link(brand.privacy_url, _("privacy policy"))
    if brand.terms_url and brand.privacy_url:
        sentence = _("By continuing you accept the %(terms)s and the %(privacy)s.")
    elif brand.terms_url:
        sentence = _("By continuing you accept the %(terms)s.")
    else:
        sentence = _("By continuing you accept the %(privacy)s.") if brand.privacy_url else ""
    before = sentence.replace("%(terms)s", "{terms}").replace("%(privacy)s", "{privacy}")
    return format_html(before, terms=terms, privacy=privacy)


def _link(address: str, text: str) -> SafeString:
    return format_html('<a href="{}" target="_blank" rel="noopener">{}</a>', address, text)
