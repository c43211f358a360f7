"""With production settings Django's own deployment check finds nothing."""

import os
import subprocess
import sys
from pathlib import Path


def test_check_deploy_is_clean(tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "ENV_FILE": os.devnull,
        "VAR_DIR": str(tmp_path),
        "SECRET_KEY": "".join(chr(33 + number % 90) for number in range(80)),
        "PORTAL_URL": "https://portal.example.com",
        "FIELD_ENCRYPTION_KEYS": "WvGZ3K3cE8mXn6J0V2wS1d7xq0m0yq9b8yq3T1c2b3A=",
        "ALTEGIO_PARTNER_TOKEN": "partner-token-of-the-tests",
        "ALTEGIO_APPLICATION_ID": "1",
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "STAFF_TWO_FACTOR": "true",
        "BRAND_NAME": "Bluebird SMS",
        "BRAND_SUPPORT_EMAIL": "help@bluebird.example",
        "EMAIL_URL": "smtp+tls://user:password@mail.example.com:587",
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "INFO"]
    checked = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert checked.returncode == 0, checked.stderr
