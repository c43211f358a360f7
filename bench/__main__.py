"""`python -m bench [PART …]`: measure, print one table, write var/bench.json. Exits with 1 for a missed figure."""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.figures import Figure, table, write
from bench.options import Options
from bench.servers import find_servers

TARGET = Path("var/bench.json")
Part = Callable[[Options], Iterator[Figure]]


def main() -> int:
    names, options = _given()
    find_servers()
    figures: list[Figure] = []
    for name in names:
        for figure in _part(name)(options):
            print(table([figure]).splitlines()[-1], file=sys.stderr, flush=True)
            figures.append(figure)
    print(table(figures))
    write(figures, TARGET)
    missed = sum(figure.missed for figure in figures)
    print(f"\n{len(figures)} figures, {missed} missed; {TARGET}")
    return 1 if missed else 0


PARTS = ("web", "calls", "notifications", "webhooks", "reconcile", "lists", "watch", "memory")


def _part(name: str) -> Part:
    """Load a part only when its turn has come: the one of the lists sets up Django for its own databases."""
    module = __import__(f"bench.{name}", fromlist=["measure"])
    part: Part = module.measure
    return part


def _given() -> tuple[list[str], Options]:
    default = Options()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all if none is given")
    parser.add_argument("--rounds", type=int, default=default.rounds, help="how often subject and floor alternate")
    parser.add_argument("--seconds", type=float, default=default.seconds, help="of one round")
    parser.add_argument("--waiting", type=int, default=default.waiting, help="locations that wait for activation")
    parser.add_argument("--sizes", type=int, nargs="+", default=default.sizes, help="connections, smallest first")
    parser.add_argument("--repeats", type=int, default=default.repeats, help="of each page at each size")
    parser.add_argument("--soak", type=float, default=default.soak_minutes, help="minutes; 0 leaves memory out")
    given = parser.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"There is no part {', '.join(sorted(unknown))}.")
    names = [name for name in PARTS if name in (given.parts or PARTS) and (name != "memory" or given.soak)]
    return names, Options(given.rounds, given.seconds, given.waiting, tuple(given.sizes), given.repeats, given.soak)


if __name__ == "__main__":
    sys.exit(main())
