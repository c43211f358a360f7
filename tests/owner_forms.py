"""Helpers that fill in the forms of the connect page, as an owner does."""

import re

from django.test import Client

from sandbox import Sandbox
from tests.marketplace import follow
from tests.not_none import not_none
from tests.response import Response

PASSWORD = "correct horse battery"
SIGN_UP = {"name": "Olga", "email": "Olga@Example.com", "phone": "+371 2000000", "password": PASSWORD}


def form_action(page: Response, name: str) -> str:
    """Return where the page posts its form `sign-up`, `sign-in` or `link`."""
    return not_none(re.search(rf'action="([^"]*/{name}/)"', page.content.decode())).group(1)


def visit(altegio: Sandbox, salons: int | list[int], email: str, address: str = "203.0.113.7") -> Response:
    """Sign up by the form as a visitor without Altegio's signature, from a network address."""
    browser = Client(REMOTE_ADDR=address)
    page = follow(browser, altegio, salons, user_id=None)
    form = {"name": "X", "email": email, "phone": "", "password": PASSWORD}
    return browser.post(f"/connect/step/{page.context['token']}/sign-up/", form)
