"""The partner's brand for owners, from the `BRAND_…` variables, which are validated when the portal starts.

An application may replace each part with its own (`integrations/connections/brand.py`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email
from django.utils.html import format_html
from django.utils.safestring import SafeString

from partner_portal.core import brand_styles
from partner_portal.core.colors import ink_on, parse_color
from partner_portal.core.logos import Logo, read_logo_file

DEFAULT_NAME = "Partner portal"
MAX_NAME = 100
FOLDER = "/brand/"


@dataclass(frozen=True)
class Brand:
    """The brand that one page or e-mail shows; unknown parts are ""."""

    name: str = DEFAULT_NAME
    # The file name of its logo (`partner_portal/core/logos.py`).
    logo: str = ""
    color: str = brand_styles.OWN
    support_email: str = ""
    support_url: str = ""
    terms_url: str = ""
    privacy_url: str = ""

    @property
    def logo_path(self) -> str:
        """The logo's path on this host, which also works inside Altegio's frame; "" without a logo."""
        return f"{FOLDER}{self.logo}" if self.logo else ""

    @property
    def email_logo_url(self) -> str:
        """The logo's full URL for e-mails; "" without a logo and for an SVG, which most mail programs do not draw."""
        return f"{settings.PORTAL_URL}{self.logo_path}" if self.logo.endswith(".png") else ""

    @property
    def ink(self) -> str:
        """The color of text on the brand's color: black or white."""
        return ink_on(self.color)

    @property
    def stylesheet_path(self) -> str:
        """The path of the style sheet for the color; "" for the portal's own color."""
        if self.color == brand_styles.OWN:
            return ""
        return f"{FOLDER}{self.color[1:]}-{brand_styles.version_of(self.color)}.css"

    @property
    def support(self) -> str:
        """The support address as shown in a sentence: an e-mail address, else a URL, else ""."""
        return self.support_email or self.support_url

    @property
    def support_link(self) -> str:
        """The support address as a link's target."""
        return f"mailto:{self.support_email}" if self.support_email else self.support_url

    @property
    def support_html(self) -> SafeString:
        """The support address as an HTML link, for a sentence of a page or HTML e-mail; "" without an address."""
        return format_html('<a href="{}">{}</a>', self.support_link, self.support) if self.support else SafeString()

    @property
    def has_terms(self) -> bool:
        """Whether there are terms or a privacy policy to accept when signing up."""
        return bool(self.terms_url or self.privacy_url)


def parse_name(text: str) -> str:
    """Return the name on one line. Raises ValueError if it is too long or contains control characters."""
    name = " ".join(text.split())
    if not name.isprintable() or len(name) > MAX_NAME:
        raise ValueError(f"Write a name of at most {MAX_NAME} characters, without control characters.")
    return name


def parse_email(text: str) -> str:
    """Return the e-mail address. Raises ValueError if it is not one."""
    try:
        validate_email(text)
    except ValidationError:
        raise ValueError(f"{text!r} is no e-mail address.") from None
    return text


def parse_url(text: str) -> str:
    """Return the URL of a page. Raises ValueError if it is not a full http or https URL."""
    address = urlsplit(text)
    if address.scheme not in {"http", "https"} or not address.hostname or not text.isprintable() or " " in text:
        raise ValueError(f"{text!r} is no address: write it in full, with https://.")
    return text


_PARSERS: dict[str, Callable[[str], str]] = {
    "name": parse_name,
    "color": parse_color,
    "support_email": parse_email,
    "support_url": parse_url,
    "terms_url": parse_url,
    "privacy_url": parse_url,
}


def brand_of_environment(environment: Mapping[str, str]) -> tuple[Brand, Logo | None]:
    """Return the portal's brand, and its logo if it has one, from `BRAND_NAME`, `BRAND_LOGO` and the others.

    Raises ImproperlyConfigured, which names the variable and says what to do, so that the portal does not start.
    """
    parts: dict[str, str] = {}
    logo = None
    for part in (*_PARSERS, "logo"):
        variable = f"BRAND_{part.upper()}"
        if not (value := environment.get(variable)):
            continue
        try:
            if part == "logo":
                logo = read_logo_file(value)
            else:
                parts[part] = _PARSERS[part](value)
        except ValueError as error:
            raise ImproperlyConfigured(f"{variable}: {error}") from error
    return Brand(logo=logo.name if logo else "", **parts), logo
