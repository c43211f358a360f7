"""The checks of a page in the browser: axe's findings, and what does not fit."""

from collections.abc import Iterable
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Frame, Page

# Every rule that axe has by itself counts, however grave it calls a finding; the rules about colors are separate.
ABOUT_COLORS = ["color-contrast", "link-in-text-block"]
QUIETLY = {"resultTypes": ["violations"], "preload": False}
COLORS = QUIETLY | {"runOnly": ABOUT_COLORS}
ALL_ELSE = QUIETLY | {"rules": {rule: {"enabled": False} for rule in ABOUT_COLORS}}
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
FINDINGS = """async ([context, options]) => (await axe.run(context, options)).violations.flatMap(
    ({ id, nodes }) => nodes.map(({ html, any, all, none }) =>
        [id, html.slice(0, 200), [...any, ...all, ...none].map((check) => check.message).join("; ")].join(" | ")))"""
TOO_WIDE = "() => Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth)"
# What an element is to a style sheet: its own tag and classes and those of all that it stands in. Classes that
# name a model, a field or a column are left out: they color nothing.
STYLED = """() => {
    const add = (hash, each) => Math.imul(hash, 31) + each.codePointAt(0) | 0;
    const plain = (each) => !/^(app|model|field|column|section)-|^row\\d/.test(each);
    const found = new Set();
    const visit = (element, above) => {
        const style = [element.tagName, ...[...element.classList].filter(plain).sort()].join(".");
        const own = [...style].reduce(add, above);
        found.add(own);
        for (const child of element.children) visit(child, own);
    };
    visit(document.body, 7);
    return [...found];
}"""
# Texts that overflow the screen, a button, or a box that hides the overflow.
CUT_OFF = """() => {
    const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const BUTTONS = "button, .button, .pill, .chips a";
    const isShown = (element) => element.checkVisibility({ checkVisibilityCSS: true }) && !element.closest(".unseen");
    const rooms = (element) => {
        const found = [{ left: 0, right: document.documentElement.clientWidth, top: -Infinity, bottom: Infinity }];
        for (let each = element; each !== document.body; each = each.parentElement)
            if (getComputedStyle(each).overflow !== "visible" || each.matches(BUTTONS))
                found.push(each.getBoundingClientRect());
        return found;
    };
    const reachesOut = (text, box) => text.left < box.left - 1 || text.right > box.right + 1
        || text.top < box.top - 1 || text.bottom > box.bottom + 1;
    while (walker.nextNode()) {
        const text = walker.currentNode, range = document.createRange();
        if (!text.data.trim() || !isShown(text.parentElement)) continue;
        range.selectNodeContents(text);
        const boxes = rooms(text.parentElement);
        if ([...range.getClientRects()].some((rect) => boxes.some((box) => reachesOut(rect, box))))
            found.push(text.data.trim().slice(0, 80));
    }
    return found;
}"""


class Eyes:
    """The checks of one page after another, without the parts shared by all. Colors are checked
    once for each style.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self._styled: set[int] = set()
        page.emulate_media(color_scheme="light", reduced_motion="reduce")

    def look(self, width: int, *more_widths: int, without: Iterable[str] = ()) -> list[str]:
        """Return what is wrong with the open page."""
        context = {"exclude": [[part] for part in without]}
        found = too_wide(self.page, width)
        self.page.evaluate(AXE_SCRIPT)
        found += self._findings(context, ALL_ELSE)
        if self._is_styled_anew():
            found += self._findings(context, COLORS)
            self.page.emulate_media(color_scheme="dark")
            found += [f"dark: {finding}" for finding in self._findings(context, COLORS)]
            self.page.emulate_media(color_scheme="light")
        for other in more_widths:
            found += too_wide(self.page, other)
        return found

    def _findings(self, context: dict[str, Any], rules: dict[str, Any]) -> list[str]:
        found: list[str] = self.page.evaluate(FINDINGS, [context, rules])
        return found

    def _is_styled_anew(self) -> bool:
        styled = set(self.page.evaluate(STYLED))
        is_new = not styled <= self._styled
        self._styled |= styled
        return is_new


def too_wide(page: Page, width: int) -> list[str]:
    """Return a complaint if the page has to be scrolled sideways."""
    page.set_viewport_size({"width": width, "height": 900})
    by = pixels_too_wide(page)
    return [f"{by} pixels too wide at {width}"] if by else []


def pixels_too_wide(page: Page) -> int:
    """Return by how many pixels the page scrolls sideways, or 0 if it fits. A page that still loads has no layout
    yet.
    """
    page.wait_for_load_state()
    by: int = page.evaluate(TOO_WIDE)
    return by


def has_no_axe_findings(page: Page | Frame, context: str | None = None) -> None:
    """Assert that axe finds nothing against WCAG 2.2 AA in a loaded page, or in the element `context` of it."""
    page.wait_for_load_state()
    found = Axe().run(page, context=context, options=WCAG).response["violations"]
    assert [(finding["id"], finding["nodes"][0]["html"]) for finding in found] == []


def cut_off(page: Page) -> list[str]:
    """Return the texts of the page that cannot be read whole."""
    found: list[str] = page.evaluate(CUT_OFF)
    return found
