"""A counter of what a person does by hand on the way through an errand."""

from playwright.sync_api import Locator, Page


class Clicks:
    """A person's clicks: a click counts as one, and so does Enter in a field; typing and reading count as nothing."""

    def __init__(self, page: Page) -> None:
        self.page, self.made = page, 0

    def press(self, locator: Locator) -> None:
        """Click an element."""
        self.made += 1
        locator.click()

    def link(self, name: str) -> None:
        self.press(self.page.get_by_role("link", name=name).first)

    def button(self, name: str) -> None:
        self.press(self.page.get_by_role("button", name=name).first)

    def type(self, label: str, text: str) -> None:
        """Fill in the field of this label."""
        self.page.get_by_label(label).first.fill(text)

    def enter(self, label: str, text: str) -> None:
        """Type into the field of this label, and press Enter."""
        self.made += 1
        field = self.page.get_by_label(label).first
        field.fill(text)
        field.press("Enter")
