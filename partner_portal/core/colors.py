"""Color contrast by WCAG 2: which text color is readable on a color, and which shade of it is readable on others.

https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio; a color is written `#rrggbb`, in lower case.
"""

import re

BLACK, WHITE = "#000000", "#ffffff"
# The contrast ratio that text needs (WCAG 2.1, 1.4.3).
READABLE = 4.5
_STEPS = 50
_WRITTEN = re.compile(r"#[0-9a-f]{6}")


def parse_color(text: str) -> str:
    """Return the color in lower case. Raises ValueError for anything but `#rrggbb`."""
    color = text.strip().lower()
    if not _WRITTEN.fullmatch(color):
        raise ValueError(f"{text!r} is no color: write # and six hexadecimal digits, for example #1f5c99.")
    return color


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colors, from 1 (equal) to 21 (black and white)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def ink_on(color: str) -> str:
    """Return black or white, whichever has more contrast to `color`: at least 4.58 : 1 for any color."""
    return max(BLACK, WHITE, key=lambda ink: contrast(ink, color))


def mixed(color: str, other: str, share: float) -> str:
    """Mix `color` with a `share` (0 to 1) of `other`."""
    channels = zip(_channels(color), _channels(other), strict=True)
    return "#" + "".join(f"{round(mine + (theirs - mine) * share):02x}" for mine, theirs in channels)


def readable_on(color: str, *backgrounds: str, ratio: float = READABLE) -> str:
    """Make `color` darker or lighter until its contrast to each of the `backgrounds` is at least `ratio`.

    The backgrounds must be all light or all dark, so that black or white is readable on each of them.
    """
    end = ink_on(backgrounds[0])
    shades = (mixed(color, end, step / _STEPS) for step in range(_STEPS))
    return next((shade for shade in shades if _contrast_to_all(shade, backgrounds) >= ratio), end)


def _contrast_to_all(color: str, backgrounds: tuple[str, ...]) -> float:
    return min(contrast(color, background) for background in backgrounds)


def _channels(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _luminance(color: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)
