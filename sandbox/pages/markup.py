"""HTML without a template engine: values are escaped unless they are already HTML."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from urllib.parse import urlsplit

from sandbox.wire import HTML_TYPE, Response


class Html(str):
    """Text that is already HTML."""

    __slots__ = ()


NOTHING = Html("")

LAYOUT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} · Altegio Marketplace (sandbox)</title>
<link rel="icon" href="/static/avatar.svg">
<link rel="stylesheet" href="/static/sandbox.css">
</head>
<body class="{kind}">
<header class="top">
<a class="brand" href="/"><span class="mark" aria-hidden="true"></span>
Altegio Marketplace <small>sandbox</small></a>
<nav aria-label="Pages">{nav}</nav>
</header>
<main>{content}</main>
{script}
</body>
</html>
"""
NAV = (("/", "Connect"), ("/messages/", "Messages"), ("/faults/", "Faults"), ("/log/", "Log"))


def render(template: str, **values: object) -> Html:
    """Return the template with its `{names}` filled in."""
    safe = {name: value if isinstance(value, Html) else escape(str(value)) for name, value in values.items()}
    return Html(template.format(**safe))


def join(parts: Iterable[Html]) -> Html:
    return Html("".join(parts))


def page(
    title: str,
    content: Html,
    *,
    here: str = "",
    kind: str = "plain",
    script: str = "",
    framed: str = "",
    status: int = 200,
) -> Response:
    """Return a whole page; `framed` is the one foreign address that it may show in an iframe."""
    links = join(
        render(
            '<a href="{path}"{now}>{name}</a>',
            path=path,
            name=name,
            now=Html(' aria-current="page"') if path == here else NOTHING,
        )
        for path, name in NAV
    )
    tag = render('<script src="/static/{name}" defer></script>', name=script) if script else NOTHING
    body = render(LAYOUT, title=title, content=content, nav=links, kind=kind, script=tag)
    frames = origin(framed) if framed else "'none'"
    policy = f"default-src 'self'; frame-src {frames}; base-uri 'none'"
    headers = {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
    }
    return Response(status, body.encode(), HTML_TYPE, headers)


def pill(status: object, text: str = "") -> Html:
    return render('<span class="pill {status}">{text}</span>', status=status, text=text or str(status))


def origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def icon(kind: str) -> Html:
    """Return one of the drawings in `static/icons.svg`."""
    return render('<svg class="icon" aria-hidden="true"><use href="/static/icons.svg#{kind}"/></svg>', kind=kind)
