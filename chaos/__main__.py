"""`python -m chaos [--seeds 200] [--from N] [--seed N]`: play seeds, print what broke, keep its evidence."""

import argparse
import os
import shutil
import signal
import sys
import time
from pathlib import Path

from chaos.plan import LARGEST, SMALLEST, draw
from chaos.playing import play
from chaos.servers import MissingServerError, find_postgres, find_redis
from chaos.stage import Stage

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Play the seeds. Return 0 if everything held, otherwise 1."""
    given = _parser().parse_args()
    # Ending the program must also end its processes. A shell starts its background jobs with SIGINT ignored, so the
    # handlers are set here.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(130))
    try:
        find_postgres()
        find_redis()
    except MissingServerError as missing:
        sys.exit(str(missing))
    seeds = [given.seed] if given.seed is not None else range(given.first, given.first + given.seeds)
    folder = Path(given.folder) / f"run-{os.getpid()}"
    failed = []
    stage = Stage(folder, given.upgrade_from)
    if stage.clock.library is None:
        print("The clock does not jump: install libfaketime for that.")
    try:
        for seed in seeds:
            started = time.monotonic()
            plan = draw(seed, smallest=given.smallest, largest=given.largest)
            plan = plan.with_upgrade() if given.upgrade_from else plan
            result = play(stage, plan)
            told = f"seed {seed}: {plan.locations} locations, {len(plan.faults)} faults, {result.calls} calls"
            print(f"{told}, {time.monotonic() - started:.0f} s: {'FAILED' if result.broken else 'held'}", flush=True)
            if result.broken:
                failed.append(seed)
                _report(given.folder, stage, seed, result.broken)
    finally:
        # A second signal must not interrupt the clean-up.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        stage.close()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{len(seeds)} seeds, {len(failed)} failed{': ' if failed else '.'}{' '.join(map(str, failed))}")
    return 1 if failed else 0


def _report(folder: str, stage: Stage, seed: int, broken: list[str]) -> None:
    kept = Path(folder) / f"seed-{seed}"
    stage.keep(kept)
    (kept / "broken.txt").write_text("\n".join(broken))
    for text in broken[:20]:
        print(f"    {text}")
    print(f"    replay: python -m chaos --seed {seed}    evidence: {kept}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    add = parser.add_argument
    add("--seeds", type=int, default=200, help="how many seeds")
    add("--from", type=int, default=1, dest="first", help="the first of them")
    add("--seed", type=int, help="this one alone")
    add("--smallest", type=int, default=SMALLEST, help="locations of a small seed")
    add("--largest", type=int, default=LARGEST, help="locations of a large one")
    add("--upgrade-from", type=Path, help="the checkout of another version, which this one replaces in each seed")
    add("--folder", default=str(ROOT / "var" / "chaos"), help="where evidence is kept")
    return parser


if __name__ == "__main__":
    sys.exit(main())
