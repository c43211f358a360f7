"""The Settings tab: the portal in an iframe, as every viewing user sees it (docs/altegio.md §1)."""

from __future__ import annotations

from sandbox.core import SandboxCore
from sandbox.models import User
from sandbox.pages.markup import NOTHING, Html, join, origin, page, render
from sandbox.pages.visit import Visit
from sandbox.wire import Response

PAGE = """<div class="host" data-portal="{portal}">
<div class="bar"><div>
<p class="crumbs"><a href="/locations/{id}/">{title}</a></p><h1>{name}: settings</h1></div>
<form method="get" class="viewer"><label>Viewing as <select name="user">{people}</select></label>
<label class="switch"><input type="checkbox" name="anonymous" value="1"{anonymous}><span></span>
No personal data</label>
<button class="quiet">Show</button></form></div>
<iframe src="{address}" title="{name}"></iframe>
<div class="toasts" role="status"></div>
<dialog class="modal"><div></div><form method="dialog"><button>Close</button></form></dialog>
</div>"""


def show(sandbox: SandboxCore, visit: Visit) -> Response:
    anonymous = bool(visit.text("anonymous"))
    with sandbox.world.lock:
        application = sandbox.world.application(visit.part("application"))
        location = sandbox.world.location(visit.part("location"))
        connection = sandbox.world.connection(application.id, location.id)
        first = sandbox.world.state.users[0].id
        user_id = visit.number("user", connection.user_id if connection else None) or first
        shared = None if anonymous else user_id
        content = render(
            PAGE,
            portal=origin(sandbox.portal_url),
            id=location.id,
            title=location.title,
            name=application.name,
            people=_options(sandbox.world.state.users, user_id),
            anonymous=Html(" checked") if anonymous else NOTHING,
            address=sandbox.arrival_url(location.id, application.id, shared),
        )
    return page(f"{application.name}: settings", content, kind="wide", script="frame.js", framed=sandbox.portal_url)


def _options(users: list[User], chosen: int) -> Html:
    return join(
        render(
            '<option value="{id}"{selected}>{name}</option>',
            id=user.id,
            name=user.name,
            selected=Html(" selected") if user.id == chosen else NOTHING,
        )
        for user in users
    )
