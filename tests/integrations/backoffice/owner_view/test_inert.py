"""Nothing can be done on the inert copy of a page, whatever the page holds."""

import pytest

from integrations.backoffice.owner_view.inert import make_inert


def inert(page: str) -> str:
    return make_inert(page, "<p>banner</p>", keeps=lambda href: href == "/own/")


@pytest.mark.parametrize(
    ("page", "left"),
    [
        ('<form method="post" action="/x/" target="_top">', "<form>"),
        ("<button>Save</button>", "<button disabled>Save</button>"),
        ('<button formaction="/x/">Save</button>', "<button disabled>Save</button>"),
        ('<input type="text" value="&lt;b&gt;">', '<input type="text" value="&lt;b&gt;" disabled>'),
        ('<INPUT TYPE=HIDDEN name="csrfmiddlewaretoken" value="secret">', ""),
        ("<select><option>a</select>", "<select disabled><option>a</select>"),
        ("a<script>if (1 < 2) { go('</p>') }</script>b", "ab"),
        ('a<SCRIPT src="/x.js"></SCRIPT >b', "ab"),
        ('a<noscript><meta http-equiv="refresh" content="5"></noscript>b', "ab"),
        ('<meta http-equiv="refresh" content="0;url=/x/"><base href="https://evil.example/">', ""),
        ('a<iframe src="/x/"></iframe>b', "ab"),
        ('<p onclick="go()">a</p>', "<p>a</p>"),
        ('<a href="https://evil.example/" target="_blank">a</a>', "<a>a</a>"),
        ('<a href="javascript:go()">a</a>', "<a>a</a>"),
        ('<a href="/own/" target="_top">a</a>', '<a href="/own/">a</a>'),
        ("<svg><path d='M1'/></svg>", '<svg><path d="M1" /></svg>'),
    ],
)
def test_active_elements_are_removed(page: str, left: str) -> None:
    assert inert(page) == left


@pytest.mark.parametrize("page", ["<!doctype html>", "&amp;&#39;<b>é</b>", '<bdi lang="uk">Олена</bdi>', "a < b & c"])
def test_other_elements_stay_as_they_are(page: str) -> None:
    assert inert(page) == page


def test_the_banner_stands_on_top() -> None:
    assert inert("<body class><main>") == "<body class><p>banner</p><main>"
