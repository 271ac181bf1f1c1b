"""Answers about merging and unmerging incidents, in words."""

from bot.core.answers.base import Answer
from bot.core.decide.incident.merging import CannotMerge, MergeDone, NotMerged, Obstacle, UnmergeDone
from bot.views.faces import Face


def merging_words(answer: Answer, face: Face) -> str:
    """The sentence; empty for other answers."""
    match answer:
        case MergeDone() as b:
            goes_on = f" It continues in {face.channel(b.place)}." if b.place.channel else ""
            return f"{answer.name} is part of INC-{b.into} now.{goes_on}"
        case UnmergeDone() as b:
            return f"{answer.name} is its own incident again: {b.phase}."
        case NotMerged():
            return f"{answer.name} is not merged into any other."
        case CannotMerge(why=why, other=other):
            return {
                Obstacle.SELF: f"{answer.name} cannot become part of itself.",
                Obstacle.MERGED: f"{answer.name} is already part of INC-{other}.",
                Obstacle.TARGET_MERGED: f"That one is part of INC-{other}. Merge {answer.name} into INC-{other}.",
                Obstacle.TARGET_OVER: f"INC-{other} is over. Merge into one that is open.",
                Obstacle.DRILL: f"INC-{other} is a drill, which stays by itself.",
                Obstacle.HAS_PARTS: f"INC-{other} is part of {answer.name}. Unmerge it first, or merge the other way round.",
            }[why]
    return ""
