"""docs/integrate.md is run as a newcomer would: each command in its order, each answer beside the one shown."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox import Sandbox
from tests.end_to_end.portal import PARTNER_TOKEN, ROOT, Port, Portal, Program, wait_for

GUIDE = (ROOT / "docs" / "integrate.md").read_text(encoding="utf-8")
ANYTHING = "…"
SCOPES = ["read", "billing", "sms", "telephony", "webhooks", "customers", "chat"]
# Every command sees the names and functions of those before it.
AFTER = "\n{ export -p; declare -f; } > state"
PYTHON = [sys.executable, str(ROOT / "examples" / "webhook_receiver.py")]
NODE = ["node", str(ROOT / "examples" / "webhook_receiver.mjs")]
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed.")


@dataclass(frozen=True)
class Step:
    """A command of the guide, and the answer that it shows; None where it shows none."""

    command: str
    answer: Any

    @property
    def only_reads(self) -> bool:
        """Such a command may be given again until the portal has got so far."""
        return not re.search(r" -d | -X |_sandbox", self.command)


def _steps() -> Iterator[Step]:
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    for (kind, text), (following, shown) in zip(blocks, [*blocks[1:], ("", "")], strict=True):
        if kind == "sh":
            yield Step(text, json.loads(shown) if following == "json" else None)


def _fits(shown: Any, found: Any) -> bool:
    """Whether an answer holds what the guide shows of it."""
    if shown == ANYTHING:
        return True
    if isinstance(shown, dict):
        return isinstance(found, dict) and all(name in found and _fits(shown[name], found[name]) for name in shown)
    if isinstance(shown, list):
        return isinstance(found, list) and len(found) == len(shown) and all(map(_fits, shown, found))
    return bool(shown == found)


class Terminal:
    """A shell that remembers, in a folder of its own, with the addresses and the key of one portal."""

    def __init__(self, folder: Path, portal: Portal, altegio: Sandbox, receiver: Port) -> None:
        self._folder = folder
        self._receiver = receiver
        key = portal.command("create_api_key", "guide", "--scopes", *SCOPES).splitlines()[-1]
        given = {"KEY": key, "PORTAL": portal.url, "ALTEGIO": altegio.app_url}
        (folder / "state").write_text("".join(f"export {name}='{value}'\n" for name, value in given.items()))

    def run(self, command: str) -> str:
        """What it prints."""
        text = command.replace("localhost:9000", f"localhost:{self._receiver.number}")
        script = f"set -euo pipefail; set -a; . ./state\n{text}{AFTER}"
        done = subprocess.run(
            ["/bin/bash", "-c", script], cwd=self._folder, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
        return done.stdout

    def follow(self, step: Step) -> None:
        """Give the command, and compare. One that only reads, or was refused, is given again for a while."""
        shown = json.loads(json.dumps(step.answer).replace("localhost:9000", f"localhost:{self._receiver.number}"))
        last = ""

        def is_over() -> bool:
            nonlocal last
            last = self.run(step.command)
            return self._is_as(shown, last) or not (step.only_reads or '{"detail":' in last)

        with suppress(AssertionError):
            wait_for(is_over, "the answer is the guide's")
        assert self._is_as(shown, last), f"{step.command}\n{last}"

    @staticmethod
    def _is_as(shown: Any, printed: str) -> bool:
        return shown is None or _fits(shown, json.loads(printed.strip().splitlines()[-1]))


@pytest.fixture
def guided(tmp_path: Path) -> Iterator[tuple[Portal, Sandbox]]:
    """What `make run` starts: the portal with a worker, the sandbox, three applications."""
    with Sandbox(partner_token=PARTNER_TOKEN) as altegio:
        portal = Portal(tmp_path, altegio.app_url, EVENTS_ALLOW_PRIVATE="true")
        altegio.portal_url = portal.url
        try:
            portal.prepare()
            portal.start_web()
            portal.start_worker("-B")
            yield portal, altegio
        finally:
            portal.close()


@pytest.mark.parametrize("receiver", [PYTHON, pytest.param(NODE, marks=needs_node)], ids=["python", "node"])
def test_the_guide_leads_a_newcomer_through(
    guided: tuple[Portal, Sandbox], tmp_path: Path, receiver: list[str]
) -> None:
    portal, altegio = guided
    port = Port()
    terminal = Terminal(tmp_path, portal, altegio, port)
    printed = tmp_path / "receiver.log"
    started: Program | None = None
    try:
        for step in _steps():
            if "/test/" in step.command:
                port.free()
                secret = terminal.run('echo "$WEBHOOK_SECRET"').strip()
                environment = {"PATH": os.environ["PATH"], "WEBHOOK_SECRET": secret}
                started = Program([*receiver, str(port.number)], environment, printed)
            terminal.follow(step)
        wait_for(lambda: "payment.refunded" in printed.read_text(), "the refund is told")
    finally:
        if started is not None:
            started.kill()

    told = printed.read_text().splitlines()
    assert "webhook.test  " in told
    assert told.count("connection.activated 10101 active") == 1
    assert "connection.activated 10301 active" in told
    assert any(line.startswith("message.requested") for line in told)
