"""The style sheet of a brand's color: a separate file, because the content security policy forbids inline styles.

It sets some variables of `static/portal.css`. All text stays readable: text on the color is black or white, and links
have a darker or lighter shade of it.
"""

import hashlib
from collections.abc import Mapping

from partner_portal.core.colors import BLACK, READABLE, WHITE, ink_on, mixed, readable_on

# The portal's own color and its backgrounds (`--page`, `--card`), as in static/portal.css.
OWN = "#3450c4"
LIGHT = ("#f5f6f9", "#ffffff")
DARK = ("#10141c", "#181d27")
# Links must stand out from the text around them, which is softer on dark pages.
ON_DARK = 7.0


def stylesheet(color: str) -> str:
    """Return the style sheet of `color`, for light and dark pages."""
    light, dark = (_rule(variables(color, backgrounds)) for backgrounds in (LIGHT, DARK))
    return f"{light}\n@media (prefers-color-scheme: dark) {{ {dark} }}\n"


def version_of(color: str) -> str:
    """Return a version that changes with the style sheet, also when a new release makes another one for the color."""
    return hashlib.sha256(stylesheet(color).encode()).hexdigest()[:8]


def variables(color: str, backgrounds: tuple[str, str]) -> Mapping[str, str]:
    """Return the CSS variables of a page with these backgrounds: the page's and a card's."""
    ink, card, is_dark = ink_on(color), backgrounds[1], backgrounds == DARK
    ratio = ON_DARK if is_dark else READABLE
    accent = readable_on(color, *backgrounds, ratio=ratio)
    # A dark card takes the lighter shade: a dark color itself would not be visible on it.
    tint = mixed(card, accent, 0.18) if is_dark else mixed(card, color, 0.12)
    return {
        "brand": color,
        "brand-ink": ink,
        "hover": mixed(color, BLACK if ink == WHITE else WHITE, 0.15),
        "accent": readable_on(accent, *backgrounds, tint),
        "accent-tint": tint,
    }


def _rule(found: Mapping[str, str]) -> str:
    return ":root { " + " ".join(f"--{name}: {value};" for name, value in found.items()) + " }"
