"""The execution of a plan's faults. Each target has a thread of its own, so that several can be down at once."""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from threading import Thread

from chaos.plan import Fault
from chaos.stage import Stage, pause

# Seconds. A fault of Altegio's ends after this time without a step, because the last stories may all wait for its
# end.
STANDSTILL = 15.0


class Hurting:
    """A run of faults, in threads. `wait` returns when every fault is over, and then everything works again.

    `progress()` returns the share of all steps that is done, so that the faults hit the same part of the script on a
    fast machine and on a slow one.
    """

    def __init__(self, stage: Stage, faults: Sequence[Fault], progress: Callable[[], float]) -> None:
        self._stage, self._progress = stage, progress
        self.problems: list[str] = []
        by_target: dict[str, list[Fault]] = defaultdict(list)
        for number, fault in enumerate(faults):
            # Faults of Altegio's may overlap; those of any other target follow one another.
            by_target[f"altegio-{number}" if fault.target == "altegio" else fault.target].append(fault)
        self._threads = [Thread(target=self._run, args=(faults,), daemon=True) for faults in by_target.values()]
        for thread in self._threads:
            thread.start()

    def wait(self) -> None:
        for thread in self._threads:
            thread.join()
        self._stage.altegio.clear_faults()
        self._stage.clock.set(0)

    def _run(self, faults: Sequence[Fault]) -> None:
        for fault in faults:
            self._wait_for(fault.at)
            try:
                self._happen(fault)
            except Exception as error:  # a failure of chaos itself must be seen; it would only end the thread
                self.problems.append(f"{fault.target} {fault.name}: {type(error).__name__}: {error}")

    def _wait_for(self, share: float, standstill: float = math.inf) -> None:
        """Wait until this share of the steps is done, or until none was done for `standstill` seconds."""
        done, since = self._progress(), time.monotonic()
        while done < min(share, 1.0) and time.monotonic() - since < standstill:
            pause(0.02)
            if (now := self._progress()) > done:
                done, since = now, time.monotonic()

    def _happen(self, fault: Fault) -> None:
        stage = self._stage
        match fault.target, fault.name:
            case "altegio", _:
                rule = stage.altegio.fault(**fault.detail)
                self._wait_for(fault.at + fault.lasts, STANDSTILL)
                stage.altegio.clear_faults(rule.id)
            case "redis", name:
                self._hurt_redis(name, fault.lasts)
            case "postgres", _:
                stage.postgres.restart_at_once()
            case "mail", _:
                stage.mail.silence()
                pause(fault.lasts)
                stage.mail.go_on()
            case "partner", mood:
                stage.partner.misbehave(mood)
                pause(fault.lasts)
                stage.partner.go_on()
            case "upgrade", _:
                stage.upgrade()
            case "clock", _:
                stage.clock.set(fault.detail["offset"])
            case process, _:
                stage.kill(process)
                pause(fault.lasts)
                stage.start(process)

    def _hurt_redis(self, name: str, lasts: float) -> None:
        redis = self._stage.redis
        if name == "emptied":
            redis.empty()
            return
        hurt, heal = (redis.kill, redis.start) if name == "killed" else (redis.hang, redis.go_on)
        hurt()
        pause(lasts)
        heal()
