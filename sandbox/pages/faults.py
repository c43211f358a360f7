"""The page of faults: bad days to choose from, in plain words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox.core import SandboxCore
from sandbox.faults import Fault
from sandbox.models import Application
from sandbox.pages.markup import NOTHING, Html, join, page, render
from sandbox.pages.visit import Visit
from sandbox.wire import Response, redirect


@dataclass(frozen=True)
class BadDay:
    name: str
    words: str
    kind: str
    call: str = "*"
    options: dict[str, Any] = field(default_factory=dict)


BAD_DAYS = (
    BadDay("Altegio is down", "Every call answers 503.", "error", options={"status": 503}),
    BadDay("Altegio is slow", "Every call takes 3 seconds.", "delay", options={"seconds": 3.0}),
    BadDay("Too slow", "Every call takes 20 seconds.", "delay", options={"seconds": 20.0}),
    BadDay(
        "Too many requests",
        "Calls answer 429 and ask to wait 5 seconds.",
        "error",
        options={"status": 429, "headers": {"Retry-After": "5"}},
    ),
    BadDay("The gateway gives up", "Every call answers 504, and is done 2 seconds later.", "gateway_timeout"),
    BadDay("The line breaks before", "The call never arrives.", "drop_before"),
    BadDay("The line breaks after", "The call is done, its answer is lost.", "drop_after"),
    BadDay("Activated, but an error", "The activation is done, the answer is 500.", "error_after", "activate"),
    BadDay("Activated, but a page", "The activation is done, the answer is HTML.", "html_after", "activate"),
    BadDay(
        "Activated, then sent away",
        "The activation is done, the answer is 301.",
        "redirect_after",
        "activate",
    ),
    BadDay("Half an answer", "The call is done, its JSON is cut in two.", "broken_json_after"),
    BadDay("Payment taken, but an error", "The payment is kept, the answer is 500.", "error_after", "payment"),
    BadDay("Refund done, but no answer", "The refund is done, the line breaks.", "drop_after", "refund"),
    BadDay(
        "Overloaded",
        "Calls answer 503 and ask to wait 20 seconds.",
        "error",
        options={"status": 503, "headers": {"Retry-After": "20"}},
    ),
    BadDay("Headers drop by drop", "The call is done, a byte a second comes of its headers.", "trickle_head_after"),
    BadDay("A body drop by drop", "The call is done, a byte a second comes of its body.", "trickle_body_after"),
    BadDay("103 first", "The call is done, Early Hints stand before its answer.", "early_hints_after"),
    BadDay("Continue, continue …", "The call is done, 100 Continue comes without end.", "endless_100_after"),
    BadDay("One answer too many", "The call is done, a second answer follows its own.", "leftover_after"),
    BadDay("The line closes late", "The call is done, the line is cut a second later.", "late_close_after"),
    BadDay("Sent nowhere", "The call is done, 301 leads to no address.", "broken_location_after"),
    BadDay("Sent away with 9 MiB", "The call is done, the answer is a large 302.", "large_redirect_after"),
    BadDay("Half an emoji in a refusal", "The call is refused, in words that nobody can store.", "bad_refusal"),
    BadDay("Half an emoji in a title", "The first title in a list cannot be stored.", "bad_text_after", "salons"),
    BadDay("An endless number", "The call is done, its answer holds 1E+999999999999999999999.", "bad_number_after"),
    BadDay(
        "A payment is refused", "The payment is not kept, the answer is 422.", "error", "payment", {"status": 422}
    ),
)

CALLBACKS: dict[str, tuple[str, dict[str, Any]]] = {
    "once": ("Once, at once", {"callbacks_enabled": True, "callback_copies": 1, "callback_delay": 0.0}),
    "twice": ("Twice", {"callbacks_enabled": True, "callback_copies": 2, "callback_delay": 0.0}),
    "late": ("30 seconds late", {"callbacks_enabled": True, "callback_copies": 1, "callback_delay": 30.0}),
    "never": ("Never", {"callbacks_enabled": False, "callback_copies": 1, "callback_delay": 0.0}),
}

PAGE = """<h1>Faults</h1><p class="lead">Choose a bad day, then watch what the portal makes of it.</p>
<section class="card now"><h2>{weather}</h2>{rules}{clear}</section>
<div class="days">{days}</div>
<section class="card"><h2>Callbacks to the portal</h2>
<form method="post" action="/faults/callbacks/" class="buttons">{callbacks}</form></section>
<section class="card"><h2>The application's record is broken</h2>
<p><small>Every activation answers 400 «Агрегатор не найден».</small></p>
<form method="post" action="/faults/application/" class="buttons">{applications}</form></section>"""

DAY = """<form method="post" action="/faults/add/" class="card day"><h2>{name}</h2><p>{words}</p>
<input type="hidden" name="day" value="{number}">
<div class="buttons"><button name="times" value="1" class="quiet">Next call</button>
<button name="times" value="0" class="quiet">Every call</button></div></form>"""

RULE = """<form method="post" action="/faults/clear/" class="rule">
<span><b>{label}</b> <small>{times}</small></span>
<button class="quiet" name="id" value="{id}">Stop</button></form>"""
CLEAR = '<form method="post" action="/faults/clear/"><button>Stop all</button></form>'
CHOICE = '<button class="quiet" name="choice" value="{value}"{pressed}>{words}</button>'


def show(sandbox: SandboxCore, visit: Visit) -> Response:
    del visit
    with sandbox.world.lock:
        rules = list(sandbox.faults.rules)
        applications = list(sandbox.world.state.applications)
    content = render(
        PAGE,
        weather="Happening now" if rules else "All is well",
        rules=join(_rule(item) for item in rules),
        clear=Html(CLEAR) if rules else NOTHING,
        days=join(render(DAY, number=number, name=day.name, words=day.words) for number, day in enumerate(BAD_DAYS)),
        callbacks=_callbacks(sandbox),
        applications=join(_broken(item) for item in applications),
    )
    return page("Faults", content, here="/faults/")


def act(sandbox: SandboxCore, visit: Visit) -> Response:
    action = visit.parts["action"]
    if action == "add":
        day = BAD_DAYS[visit.number("day", 0) or 0]
        sandbox.fault(day.kind, day.call, remaining=visit.number("times") or None, label=day.name, **day.options)
    elif action == "clear":
        sandbox.clear_faults(visit.number("id"))
    elif action == "callbacks":
        sandbox.configure(**CALLBACKS[visit.text("choice", "once")][1])
    else:
        application_id = visit.number("choice") or sandbox.application_id
        with sandbox.world.lock:
            broken = sandbox.world.application(application_id).broken
        sandbox.set_application(application_id, broken=not broken)
    return redirect(303, "/faults/")


def _rule(rule: Fault) -> Html:
    times = "every call" if rule.remaining is None else f"the next {rule.remaining}"
    return render(RULE, id=rule.id, label=rule.label or f"{rule.kind}: {rule.call}", times=times)


def _callbacks(sandbox: SandboxCore) -> Html:
    now = sandbox.settings.as_json()
    return join(
        _choice(value, words, all(now[name] == wanted for name, wanted in switches.items()))
        for value, (words, switches) in CALLBACKS.items()
    )


def _broken(application: Application) -> Html:
    return _choice(str(application.id), application.name, application.broken)


def _choice(value: str, words: str, pressed: bool) -> Html:
    state = render(' aria-pressed="{state}"', state=str(pressed).lower())
    return render(CHOICE, value=value, words=words, pressed=state)
