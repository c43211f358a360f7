"""The ports of `make run`. They are checked before anything is installed, so this module needs only Python."""

import os
import socket
import sys


def _chosen(name: str, usual: int) -> int:
    text = os.environ.get(name) or str(usual)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        sys.exit(f"{name} must be a port, 1 to 65535; it is {text!r}.")
    return int(text)


PORT, SANDBOX_PORT = _chosen("PORT", 8000), _chosen("SANDBOX_PORT", 8010)


def insist_on_free_ports() -> None:
    """Exit with a message if one of the two ports is taken, or if both are the same."""
    if PORT == SANDBOX_PORT:
        sys.exit(f"PORT and SANDBOX_PORT are both {PORT}: the portal and the sandbox need one each.")
    for name, port in (("PORT", PORT), ("SANDBOX_PORT", SANDBOX_PORT)):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                sys.exit(
                    f"Port {port} is in use. Is the portal running already? Stop it, or choose another port: "
                    f"make run {name}=<port>"
                )


if __name__ == "__main__":
    insist_on_free_ports()
