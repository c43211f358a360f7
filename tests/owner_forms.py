"""The forms of the connect page, and what an owner types into them."""

import re

from django.test import Client

from sandbox import Sandbox
from tests.marketplace import follow
from tests.not_none import not_none
from tests.response import Response

PASSWORD = "correct horse battery"
SIGN_UP = {"name": "Olga", "email": "Olga@Example.com", "phone": "+371 2000000", "password": PASSWORD}


def form_action(page: Response, name: str) -> str:
    """Where the page posts its form `sign-up`, `sign-in` or `link`."""
    return not_none(re.search(rf'action="([^"]*/{name}/)"', page.content.decode())).group(1)


def visit(altegio: Sandbox, salons: int | list[int], email: str, address: str = "203.0.113.7") -> Response:
    """A visitor without Altegio's signature signs up by the form, from some address of the network."""
    browser = Client(REMOTE_ADDR=address)
    page = follow(browser, altegio, salons, user_id=None)
    form = {"name": "X", "email": email, "phone": "", "password": PASSWORD}
    return browser.post(f"/connect/step/{page.context['token']}/sign-up/", form)
