"""What a brand's color changes on a page: a style sheet of its own, because the pages' policy forbids inline styles.

It sets some of the variables of `static/portal.css`. Words are read on everything it sets: the ink on the color is
black or white, links have a darker or lighter shade of it.
"""

import hashlib
from collections.abc import Mapping

from partner_portal.core.colors import BLACK, READABLE, WHITE, ink_on, mixed, readable_on

# The portal's own, and its backgrounds (`--page`, `--card`), as in static/portal.css.
OWN = "#3450c4"
LIGHT = ("#f5f6f9", "#ffffff")
DARK = ("#10141c", "#181d27")
# Links stand out from the words around them, which are softer on dark pages.
ON_DARK = 7.0


def stylesheet(color: str) -> str:
    """The style sheet of `color`, for light pages and dark ones."""
    light, dark = (_rule(variables(color, backgrounds)) for backgrounds in (LIGHT, DARK))
    return f"{light}\n@media (prefers-color-scheme: dark) {{ {dark} }}\n"


def version_of(color: str) -> str:
    """Changes with the style sheet, also where a new version of the portal makes another one of the same color."""
    return hashlib.sha256(stylesheet(color).encode()).hexdigest()[:8]


def variables(color: str, backgrounds: tuple[str, str]) -> Mapping[str, str]:
    """The variables of a page with these backgrounds: the page's and a card's."""
    ink, card, is_dark = ink_on(color), backgrounds[1], backgrounds == DARK
    ratio = ON_DARK if is_dark else READABLE
    accent = readable_on(color, *backgrounds, ratio=ratio)
    # On a dark card of the shade: a dark color itself would not be seen.
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
