"""The client that openapi-python-client makes from the schema does what the guide shows (docs/integrate.md §11)."""

import os
import subprocess
import sys
from pathlib import Path

from sandbox import Sandbox
from tests.end_to_end.conftest import Arrive
from tests.end_to_end.portal import BIN, ROOT, Portal, wait_for

GUIDE = (ROOT / "docs" / "integrate.md").read_text(encoding="utf-8")
EXAMPLE = GUIDE.split("```python\n")[1].split("```")[0]


def test_a_client_made_from_the_schema_pays_and_names(
    portal: Portal, altegio: Sandbox, arrive: Arrive, tmp_path: Path
) -> None:
    page, [location] = arrive(1)
    portal.start_worker("-B")
    portal.wait_until_active(page)
    key = portal.command("create_api_key", "client", "--scopes", "read", "billing", "sms").splitlines()[-1]
    schema = tmp_path / "schema.yaml"
    schema.write_bytes(portal.page("/api/v1/schema/").content)
    make = [
        str(BIN / "openapi-python-client"),
        "generate",
        "--path",
        str(schema),
        "--output-path",
        str(tmp_path / "made"),
    ]
    made = subprocess.run(make, capture_output=True, text=True, timeout=120, check=True)
    assert "unable to parse" not in (made.stdout + made.stderr).lower()

    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(tmp_path / "made"),
        "PORTAL": portal.url,
        "KEY": key,
    }
    program = EXAMPLE.replace("10101", str(location))
    printed = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60, check=False
    )

    assert printed.stdout.split() == ["queued", "queued"], printed.stderr
    wait_for(
        lambda: (held := altegio.connection(location)) and held.payments and held.short_names, "Altegio has both"
    )
    held = altegio.connection(location)
    assert held is not None
    assert ([str(payment.payment_sum) for payment in held.payments], held.short_names) == (["29.90"], ["Aurora"])
