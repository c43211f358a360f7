"""The first page: choose an application, locations and a person, and press Connect (docs/altegio.md §1)."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.core import SandboxCore
from sandbox.models import Application, Connection, Kind, Location, User
from sandbox.pages.markup import NOTHING, Html, icon, join, page, pill, render
from sandbox.pages.visit import Visit
from sandbox.settings import ARRIVAL_FORMS
from sandbox.wire import Response, redirect

SHOWN_IN_A_CHAIN = 12
# How many chains, single locations and people are shown at once; the others can be unfolded.
SHOWN = 12
BIG_CHAIN = 1500
FORM_WORDS = {
    "brackets": "salon_ids[]=1&salon_ids[]=2",
    "comma": "salon_ids=1,2",
    "indexed": "salon_ids[0]=1&salon_ids[1]=2",
}

PAGE = """
<form method="post" action="/" class="shop" id="connect">
<div class="choose">
<h1>Connect an application</h1>
<p class="lead">You are a salon owner on Altegio. Press <b>Connect</b> and you arrive at the portal.</p>
<fieldset><legend>Application</legend><div class="apps">{applications}</div></fieldset>
<fieldset><legend>Locations</legend>{groups}</fieldset>
</div>
<aside class="card order">
<div class="go"><p id="summary" aria-live="polite"></p><button class="connect">Connect</button></div>
<fieldset><legend>You are</legend><div class="people">{people}</div></fieldset>
<label class="switch"><input type="checkbox" name="share" value="1" checked><span></span>
<b>Share my personal data</b></label>
<details><summary>How several locations are sent</summary>{forms}</details>
<details><summary>A very large chain</summary>
<button class="quiet" form="chain">Make a chain of 1,500 locations</button></details>
</aside>
</form>
<form method="post" action="/chains/" id="chain"></form>
"""

APPLICATION = """<label class="app">
<input type="radio" name="application" value="{id}" data-name="{name}"{checked}>
<span class="face">{icon}<b>{name}</b><small>{by}{summary}</small></span></label>"""

PERSON = """<label class="person"><input type="radio" name="user" value="{id}"{checked}>
<span class="face"><i aria-hidden="true">{initials}</i>
<span><b>{name}</b><small>{email}</small></span></span></label>"""

GROUP = """<section class="card group">
<h2><label><input type="checkbox" name="chain" value="{id}" data-count="{count}"> {title}</label>
<small>{words} locations</small></h2>
<ul>{rows}</ul>{more}</section>"""

SINGLES = '<section class="card group"><h2>On their own</h2>{rows}</section>'

FOLDED = """<{tag}>{open}</{tag}><details><summary>{n} more</summary><{tag}>{folded}</{tag}></details>"""

ROW = """<li><label><input type="checkbox" name="location" value="{id}"{checked}>
<span><b>{title}</b><small>{city}, {country} · {id}</small></span></label>
<span class="state">{pills}
<a href="/locations/{id}/" aria-label="Details of {title}">Details</a></span></li>"""

FORM = """<label class="line"><input type="radio" name="form" value="{form}"{checked}>
<code>{words}</code></label>"""

RECONNECT = """<section class="card alone"><div class="badge">{icon}</div>
<h1>{name}</h1><p class="lead">{title}<br><small>{city}, {country}</small></p>{pills}
<form method="post" action="/">
<input type="hidden" name="application" value="{application}">
<input type="hidden" name="location" value="{id}">
<div class="people row">{people}</div>
<label class="switch"><input type="checkbox" name="share" value="1" checked><span></span>
<b>Share my personal data</b></label>
<button class="connect">Connect</button></form></section>"""


def show(sandbox: SandboxCore, visit: Visit) -> Response:
    del visit
    with sandbox.world.lock:
        world = sandbox.world
        chosen = _first_free(sandbox)
        groups = [_group(sandbox, chain.id, chain.title, chosen) for chain in world.state.chains]
        singles = [_row(sandbox, item, chosen) for item in world.locations_of(None)]
        content = render(
            PAGE,
            applications=join(_application(sandbox, item) for item in world.state.applications),
            groups=join([_folded(groups, "div"), render(SINGLES, rows=_folded(singles, "ul"))]),
            people=_people(world.state.users),
            forms=_forms(sandbox.settings.arrival_form),
        )
    return page("Connect", content, here="/", kind="shopping", script="connect.js")


def press(sandbox: SandboxCore, visit: Visit) -> Response:
    """Give consent and send the browser to the portal."""
    application_id = visit.number("application", sandbox.application_id) or sandbox.application_id
    user_id = visit.number("user")
    with sandbox.world.lock:
        location_ids = _chosen(sandbox, visit)
        _check_choice(sandbox, application_id, location_ids)
        sandbox.grant(location_ids, application_id, user_id)
        shared = user_id if visit.text("share") else None
        address = sandbox.arrival_url(location_ids, application_id, shared, visit.text("form") or None)
    return redirect(303, address)


def make_chain(sandbox: SandboxCore, visit: Visit) -> Response:
    del visit
    sandbox.add_chain(BIG_CHAIN)
    return redirect(303, "/")


def reconnect(sandbox: SandboxCore, visit: Visit) -> Response:
    """Show the application's page for one location, where an owner connects it again."""
    with sandbox.world.lock:
        application = sandbox.world.application(visit.part("application"))
        location = sandbox.world.location(visit.part("location"))
        connection = sandbox.world.connection(application.id, location.id)
        content = render(
            RECONNECT,
            icon=_face(sandbox, application),
            name=application.name,
            title=location.title,
            city=location.city,
            country=location.country,
            pills=_pills(sandbox, location),
            application=application.id,
            id=location.id,
            people=_people(sandbox.world.state.users, connection.user_id if connection else None),
        )
    return page(application.name, content)


def _chosen(sandbox: SandboxCore, visit: Visit) -> list[int]:
    """Return the ticked locations and all of the ticked chains, in the order of the state."""
    ticked, chains = set(visit.numbers("location")), set(visit.numbers("chain"))
    return [item.id for item in sandbox.world.state.locations if item.id in ticked or item.chain_id in chains]


def _check_choice(sandbox: SandboxCore, application_id: int, location_ids: list[int]) -> None:
    if not location_ids:
        raise ValueError("Choose a location first.")
    chains = {sandbox.world.location(item).chain_id for item in location_ids}
    if sandbox.world.application(application_id).kind is Kind.TELEPHONY and len(chains) > 1:
        raise ValueError("Telephony is connected for one chain at a time.")


def _first_free(sandbox: SandboxCore) -> int:
    """Return the first location that the default application is not connected to, else the first of all."""
    locations = sandbox.world.state.locations
    for location in locations:
        connection = sandbox.world.connection(sandbox.application_id, location.id)
        if connection is None or not connection.is_installed:
            return location.id
    return locations[0].id


def _application(sandbox: SandboxCore, application: Application) -> Html:
    return render(
        APPLICATION,
        id=application.id,
        name=application.name,
        summary=application.summary,
        icon=_face(sandbox, application),
        by=f"{sandbox.partner.name} · " if sandbox.partner.name else "",
        checked=_checked(application.id == sandbox.application_id),
    )


def _face(sandbox: SandboxCore, application: Application) -> Html:
    """Return the picture of an application: its partner's logo, or a drawing of its purpose."""
    return (
        icon(application.kind)
        if sandbox.partner.logo is None
        else Html('<img class="icon" src="/partner-logo" alt="">')
    )


def logo(sandbox: SandboxCore, visit: Visit) -> Response:
    del visit
    if sandbox.partner.logo is None:
        raise ValueError("This partner has no logo.")
    kind = "image/png" if sandbox.partner.logo.suffix == ".png" else "image/svg+xml"
    return Response(200, sandbox.partner.logo.read_bytes(), kind, {"Cache-Control": "no-cache"})


def _people(users: Sequence[User], chosen: int | None = None) -> Html:
    chosen = chosen or users[0].id
    cards = [
        render(
            PERSON,
            id=user.id,
            name=user.name,
            email=user.email,
            initials="".join(word[0] for word in user.name.split()[:2]),
            checked=_checked(user.id == chosen),
        )
        for user in users
    ]
    return _folded(cards, "div")


def _folded(items: Sequence[Html], tag: str) -> Html:
    """Return an element of this name with the first items, and the rest in one that can be unfolded."""
    tag, hidden = Html(tag), len(items) - SHOWN
    if hidden <= 0:
        return render("<{tag}>{open}</{tag}>", tag=tag, open=join(items))
    return render(FOLDED, tag=tag, open=join(items[:SHOWN]), n=f"{hidden:,}", folded=join(items[SHOWN:]))


def _group(sandbox: SandboxCore, chain_id: int, title: str, chosen: int) -> Html:
    locations = sandbox.world.locations_of(chain_id)
    hidden = len(locations) - SHOWN_IN_A_CHAIN
    more = render("<p><small>and {n} more, with the whole chain</small></p>", n=f"{hidden:,}")
    return render(
        GROUP,
        id=chain_id,
        title=title,
        count=len(locations),
        words=f"{len(locations):,}",
        rows=join(_row(sandbox, item, chosen) for item in locations[:SHOWN_IN_A_CHAIN]),
        more=more if hidden > 0 else NOTHING,
    )


def _row(sandbox: SandboxCore, location: Location, chosen: int) -> Html:
    return render(
        ROW,
        id=location.id,
        title=location.title,
        city=location.city,
        country=location.country,
        pills=_pills(sandbox, location),
        checked=_checked(location.id == chosen),
    )


def _pills(sandbox: SandboxCore, location: Location) -> Html:
    found = [sandbox.world.connection(item.id, location.id) for item in sandbox.world.state.applications]
    return join(_pill(sandbox, item) for item in found if item is not None and item.is_current)


def _pill(sandbox: SandboxCore, connection: Connection) -> Html:
    name = sandbox.world.application(connection.application_id).name
    return pill(connection.status, f"{name} {connection.status}")


def _forms(chosen: str) -> Html:
    return join(
        render(FORM, form=form, words=FORM_WORDS[form], checked=_checked(form == chosen)) for form in ARRIVAL_FORMS
    )


def _checked(yes: bool) -> Html:
    return Html(" checked") if yes else NOTHING
