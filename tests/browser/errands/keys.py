"""A person without a mouse: the Tab key reaches everything, and the focus is visible."""

from playwright.sync_api import Locator, Page

MAX_TABS = 80
HAS_FOCUS = "(element) => element === document.activeElement"
SHOWS_FOCUS = """(element) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
}"""


class Keys:
    """A keyboard user of `page`."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def reach(self, target: Locator) -> None:
        """Press Tab until the element has the focus, and check that a loaded page shows it."""
        self.page.wait_for_load_state()
        for _ in range(MAX_TABS):
            if target.evaluate(HAS_FOCUS):
                break
            self.page.keyboard.press("Tab")
        assert target.evaluate(HAS_FOCUS), f"the Tab key does not lead to {target}"
        assert target.evaluate(SHOWS_FOCUS), f"no focus is seen on {target}"

    def press(self, target: Locator) -> None:
        self.reach(target)
        self.page.keyboard.press("Enter")

    def link(self, name: str) -> None:
        self.press(self.page.get_by_role("link", name=name).first)

    def button(self, name: str) -> None:
        self.press(self.page.get_by_role("button", name=name).first)

    def type(self, label: str, text: str) -> None:
        self.reach(self.page.get_by_label(label).first)
        self.page.keyboard.type(text)
