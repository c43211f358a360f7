"""The latest calls: those that the portal made to Altegio, and those that Altegio made to the portal."""

from __future__ import annotations

from sandbox.core import SandboxCore
from sandbox.journal import LoggedCall, SentCallback
from sandbox.pages.markup import NOTHING, Html, join, page, render
from sandbox.pages.visit import Visit
from sandbox.wire import Response, write_json

SHOWN = 100
PAGE = """<h1>Log</h1><p class="lead">What the portal and Altegio said to each other, newest first.
<a class="button small" href="/log/">Refresh</a></p>
<section class="card calls"><h2>Portal to Altegio <small>{count} calls</small></h2>{calls}</section>
<section class="card calls"><h2>Altegio to the portal</h2>{callbacks}</section>"""
NONE = Html("<p><small>Nothing yet.</small></p>")

CALL = """<details><summary><time>{at}</time><span class="code c{family}">{code}</span>
<b>{call}</b><span class="where">{place}</span>{fault}</summary>
<p><code>{method} {path}</code></p>{asked}<pre>{answer}</pre>
<p><small>{processed}, {seconds} ms</small></p></details>"""
CALLBACK = """<details><summary><time>{at}</time><span class="code c{family}">{code}</span>
<b>{what}</b></summary>
<p><code>POST {url}</code></p><pre>{body}</pre><p><small>{error}</small></p></details>"""


def show(sandbox: SandboxCore, visit: Visit) -> Response:
    del visit
    calls, callbacks = sandbox.requests(), sandbox.sent_callbacks()
    content = render(
        PAGE,
        count=f"{len(calls):,}",
        calls=join(_call(item) for item in reversed(calls[-SHOWN:])) or NONE,
        callbacks=join(_callback(item) for item in reversed(callbacks[-SHOWN:])) or NONE,
    )
    return page("Log", content, here="/log/")


def _call(entry: LoggedCall) -> Html:
    return render(
        CALL,
        at=entry.at[11:19],
        family=entry.code // 100,
        code=entry.code or "cut",
        call=entry.call.replace("_", " "),
        place=entry.location_id or "",
        fault=render('<span class="pill pending">{name}</span>', name=entry.fault.replace("_", " "))
        if entry.fault
        else NOTHING,
        method=entry.method,
        path=entry.path,
        asked=render("<pre>{body}</pre>", body=entry.raw_body) if entry.raw_body else NOTHING,
        answer=entry.answer[:2000],
        processed="done" if entry.processed else "not done",
        seconds=round(entry.seconds * 1000),
    )


def _callback(sent: SentCallback) -> Html:
    body = sent.body if isinstance(sent.body, dict) else {}
    return render(
        CALLBACK,
        at=sent.at[11:19],
        family=sent.code // 100,
        code=sent.code or "…",
        what=body.get("event") or body.get("resource") or "event",
        url=sent.url,
        body=write_json(sent.body).decode(),
        error=sent.error,
    )
