"""`python -m demo.life LOCATIONS`: fill the running portal of `make run`, which stays usable meanwhile.

The environment is the portal's, with the sandbox's address as `ALTEGIO_APP_URL`. A portal that already has arrivals
is left as it is. Prints the progress.
"""

import os
import sys
import time

import django


def main() -> None:
    """Fill an empty portal; the first argument is the number of locations."""
    django.setup()
    from demo.life.living import is_lived_in, live

    if is_lived_in():
        return
    started = time.monotonic()
    live(int(sys.argv[1]))
    print(f"  The demonstration is filled: half a year in {time.monotonic() - started:.0f} seconds.", flush=True)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "partner_portal.settings")
    main()
