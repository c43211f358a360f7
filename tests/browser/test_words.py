"""Every page of an owner fits a 320 px screen in every language, even with the longest words."""

import re
from dataclasses import replace

import pytest
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from partner_portal.core.brand import Brand
from tests.browser.eyes import cut_off, too_wide
from tests.i18n.gallery import BLUEBIRD, LANGUAGES, Gallery

pytestmark = pytest.mark.django_db(transaction=True)


LONG = replace(
    BLUEBIRD, name="Donaudampfschifffahrtsgesellschaftskapitänsmützen International Messaging Services Ltd."
)


@pytest.mark.parametrize(("language", "brand"), [*((each, BLUEBIRD) for each in LANGUAGES), ("en", LONG)])
def test_every_word_is_read_whole_in_a_narrow_frame(
    page: Page, live_server: LiveServer, language: str, brand: Brand
) -> None:
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(f"{live_server.url}/account/sign-in/")
    found = {}
    for shown in Gallery(language).everything(brand):
        if "portal.css" in shown.text:
            # Scripts are off, because theirs would call the wrong address.
            page.set_content(re.sub("<script.*?</script>", "", shown.text))
            if wrong := [*too_wide(page, 320), *cut_off(page)]:
                found[shown.name] = wrong
    assert found == {}
