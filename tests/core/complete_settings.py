"""The settings without which the portal does not start."""

from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
COMPLETE = {"SECRET_KEY": "x", "PORTAL_URL": "https://portal.example.com", "FIELD_ENCRYPTION_KEYS": "k"}
