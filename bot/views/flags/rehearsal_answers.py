"""Answers about rehearsals, or to a switch to a fallback that did not pass one, in words."""

from bot.core.answers.base import Answer
from bot.core.answers.rehearsals import NothingToRehearse, RehearsalBegun, Unrehearsed
from bot.views.faces import Face
from bot.views.text import capital, words


def rehearsal_words(answer: Answer, face: Face) -> str:
    """The sentence; empty for other answers."""
    key, flag = answer.flag, face.flag(answer.flag, answer.flag_name)
    first = flag if flag == key else capital(flag)
    match answer:
        case RehearsalBegun(variants=variants):
            return f"Rehearsing {words(list(variants))} of {flag}. The result follows, within a minute or so."
        case NothingToRehearse(configured=True):
            return f"No fallback of {flag} needs a component, so there is nothing to rehearse."
        case NothingToRehearse():
            return f"{first} has no `rehearse` in the configuration."
        case Unrehearsed(variant=variant, reason=reason):
            way = face.engage(key, variant, force=True)
            return f"Nothing was switched: {variant} may not work, since {reason}. To switch anyway: {way}"
    return ""
