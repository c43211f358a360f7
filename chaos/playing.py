"""The course of one seed: stories and faults at once, then rest, then the checks."""

import time
from dataclasses import dataclass

from chaos.hurting import Hurting
from chaos.invariants import broken
from chaos.plan import Plan
from chaos.stage import Stage, pause
from chaos.stories import Story

# Seconds. They are generous, because a busy machine is not the portal's fault.
SETTLES_IN = 240.0
STORIES_END_IN = 400.0


@dataclass(frozen=True)
class Result:
    """The result of a seed."""

    broken: list[str]
    stories: list[Story]
    calls: int


def play(stage: Stage, plan: Plan) -> Result:
    """Play a plan on a stage, starting with an empty portal, and return what it showed."""
    stage.begin(clocked=plan.sets_clock, **plan.altegio)
    stories = [Story(story, stage) for story in plan.stories]
    for story in stories:
        story.start()
    steps = sum(story.steps for story in stories)
    hurting = Hurting(stage, plan.faults, lambda: sum(story.done for story in stories) / steps)
    hurting.wait()
    problems = hurting.problems + _end(stories)
    problems += _settle(stage, "after the faults")
    if not stage.compare():
        problems.append("the task that compares everything with Altegio was not run")
    problems += _settle(stage, "after the night's comparison")
    return Result(problems + broken(stage, stories), stories, len(stage.altegio.requests()))


def _end(stories: list[Story]) -> list[str]:
    ends_at = time.monotonic() + STORIES_END_IN
    for story in stories:
        story.join(max(ends_at - time.monotonic(), 0))
    return [f"story {story.plan.number} does not end" for story in stories if story.is_alive()]


def _settle(stage: Stage, when: str) -> list[str]:
    ends_at = time.monotonic() + SETTLES_IN
    while not stage.settled():
        if time.monotonic() > ends_at:
            return [f"{when}: it does not come to rest"]
        stage.hurry()
        pause(0.25)
    return []
