"""Answers about drills, as sentences."""

from bot.core.answers.base import Answer
from bot.core.answers.incident import DrillIsOver
from bot.core.decide import drills as d
from bot.views.faces import Face
from bot.views.text import capital


def drill_words(answer: Answer, face: Face) -> str:
    """The sentence; empty if the answer is not about a drill."""
    flag = face.flag(answer.flag, answer.flag_name)
    match answer:
        case d.DrillStarted() as b:
            paged = "People are paged." if b.paging else "Nobody is paged."
            scope = f" In the drill, {flag} is {b.variant}." if b.variant else ""
            return (
                f"🔵 {b.name} has begun, until {face.time(b.until)}: {b.title}. {paged}{scope} "
                f"Its channel #{b.channel_name} is being created. To end it: {face.stop_drill(b.name)}"
            )
        case d.DrillStopped():
            return f"The drill {answer.name} is over; its report comes in its channel."
        case d.NoSuchLength() as b:
            return f"A drill lasts from {b.least_minutes} min to {b.most_hours} h. Nothing was started."
        case d.DrillRuns():
            of = f"with {flag}" if flag else "of that provider"
            return f"{answer.name} is already a drill {of}. To end it: {face.stop_drill(answer.name)}"
        case d.ReallyFails(why=why):
            return f"No drill now: {why}."
        case d.NoFallback(why=why):
            called = flag if flag == answer.flag else capital(flag)
            return f"{called} has no fallback to try{f': {why}' if why else ''}. Nothing was started."
        case d.NoDrill():
            return f"{answer.name} is not a running drill."
        case DrillIsOver():
            return f"{answer.name} was a drill. It is not reopened; start another one."
    return ""
