"""What people are told when the ledger does not take what they asked for."""

from collections.abc import Mapping

from bot.core.model import Policy, Verdict
from bot.core.state import World
from bot.ports import StoreError, StoreTrouble

WHY = {
    StoreTrouble.FULL: "The disk is full",
    StoreTrouble.READ_ONLY: "The ledger cannot be written",
    StoreTrouble.IO: "The disk of the ledger fails",
    StoreTrouble.GONE: "The ledger's file is gone",
    StoreTrouble.CORRUPT: "The ledger is damaged",
    StoreTrouble.OTHER: "The ledger cannot be used",
}


def nothing_changed(error: StoreError) -> str:
    """One sentence for whoever asked for a change."""
    return f"{WHY[error.kind]}, nothing was changed."


def meanwhile(error: StoreError) -> str:
    """What holds until it is mended, and what mends it."""
    if error.kind is StoreTrouble.FULL:
        return "Flags stay as they are; make room where Understudy runs, and it goes on by itself."
    return "Flags stay as they are. Whoever runs Understudy finds the remedy in its log."


def unwritten(world: World, seen: Mapping[str, Verdict]) -> tuple[str, ...]:
    """The components that fail in another way than the ledger holds."""
    return tuple(
        id for id, verdict in sorted(seen.items()) if verdict.level.bad and world.component(id).level is not verdict.level
    )


def unwritten_words(world: World, policy: Policy, seen: Mapping[str, Verdict]) -> str:
    """What the checks see and the ledger does not hold; empty where both agree."""
    found = []
    for id in unwritten(world, seen):
        named = policy.components.get(id)
        found.append(f"{named.name if named else id} is {seen[id].level}: {seen[id].reason}")
    return f"Not on record: {'; '.join(found)}." if found else ""


def ledger_notice(why: str, world: World, policy: Policy, seen: Mapping[str, Verdict]) -> tuple[str, str]:
    """Title and text of the call on people while nothing can be committed."""
    news = unwritten_words(world, policy, seen)
    flags = [f"{key} serves {served}" for key, served in sorted(_served(world, policy).items())]
    text = [
        f"{why}.", "No incident opens, no flag switches, nothing is posted.", news,
        f"Flags stay as they are: {', '.join(flags)}." if flags else "",
    ]  # fmt: skip
    title = "Understudy cannot write, and a provider fails" if news else "Understudy cannot write its ledger"
    return title, " ".join(filter(None, text))


def _served(world: World, policy: Policy) -> dict[str, str]:
    engaged = {key: state.engagement.variant for key, state in world.flags.items() if state.engagement}
    return {key: flag.default for key, flag in policy.flags.items()} | engaged
