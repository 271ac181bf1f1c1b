"""What people are told if the ledger refuses what they asked for."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.core.model import Level, Verdict
from bot.core.policy import Policy
from bot.core.record.component import ComponentState
from bot.core.record.world import World
from bot.core.scope import scope_of
from bot.ports import Message, StoreError, StoreTrouble
from bot.views.blocks import section
from bot.views.limits import fit
from bot.views.names import component_name
from bot.views.text import code, foreign, stop, when, words

WHY = {
    StoreTrouble.FULL: "The disk is full",
    StoreTrouble.READ_ONLY: "The ledger cannot be written",
    StoreTrouble.IO: "The disk of the ledger fails",
    StoreTrouble.GONE: "The ledger's file is gone",
    StoreTrouble.CORRUPT: "The ledger is damaged",
    StoreTrouble.NEWER: "A newer Understudy writes the ledger",
    StoreTrouble.VALUE: "The ledger cannot hold what it was given",
    StoreTrouble.AWAY: "The database cannot be reached",
    StoreTrouble.OTHER: "The ledger cannot be used",
}


def not_known(error: StoreError) -> str:
    """One sentence for a person who asked about the current state."""
    return f"{WHY[error.kind]}, so that is not known right now."


def not_available(error: StoreError, what: str) -> str:
    """One sentence for a person who asked for `what` on a page."""
    return f"{WHY[error.kind]}, so {what} is not available right now."


def nothing_changed(error: StoreError) -> str:
    """One sentence for a person who asked for a change."""
    if error.kind is StoreTrouble.AWAY:  # it may have become unreachable between the commit and its response
        return f"{WHY[error.kind]}. Check whether this was done before you ask again."
    return f"{WHY[error.kind]}, nothing was changed."


def meanwhile(error: StoreError) -> str:
    """What applies until it is fixed, and what fixes it."""
    if error.kind is StoreTrouble.FULL:
        return "Flags stay as they are. Free disk space where Understudy runs; it then continues by itself."
    if error.kind is StoreTrouble.NEWER:
        return "Ask again: a newer replica may answer. This one must be upgraded."
    if error.kind is StoreTrouble.AWAY:
        return "Flags stay as they are. It continues by itself when the database is back."
    return "Flags stay as they are. Understudy's log has the remedy."


def unwritten(world: World, seen: Mapping[str, Verdict]) -> tuple[str, ...]:
    """The components whose failure the ledger does not show."""
    return tuple(
        id for id, verdict in sorted(seen.items()) if verdict.level.bad and world.component(id).level is not verdict.level
    )


def as_seen(world: World, seen: Mapping[str, Verdict]) -> tuple[World, dict[str, ComponentState]]:
    """The world to show people while nothing can be committed, and what the ledger holds where that differs.

    `seen` holds current verdicts that differ from the ledger; empty while everything is committed.
    """
    held = {id: world.component(id) for id in sorted(seen)}
    for id, verdict in sorted(seen.items()):
        same = held[id].advisory == verdict.advisory
        now = replace(
            held[id], level=verdict.level, reason=verdict.reason, fault=verdict.fault, evidence=verdict.evidence,
            since=verdict.began_at, began_at=verdict.began_at, advisory=verdict.advisory,
            advisory_since=held[id].advisory_since if same else verdict.began_at,
        )  # fmt: skip
        world = world.with_state("component", id, now)
    return world, held


def nothing_is_written(error: StoreError) -> str:
    """What people should know about the bot itself."""
    return f"Nothing is being recorded: {_why(error)}. {meanwhile(error)}"


def outdated_words(replica: str) -> str:
    """What people should know about a replica that is older than the ledger."""
    return (
        f"{replica} no longer decides anything: a newer Understudy writes the ledger. The newer replicas do all its work; flags"
        " stay here as they were. Upgrade this replica."
    )


def unwritten_words(world: World, policy: Policy, seen: Mapping[str, Verdict]) -> str:
    """Current verdicts that the ledger does not hold; empty if both agree."""
    found = []
    for id in unwritten(world, seen):
        named = policy.components.get(id)
        found.append(f"{named.name if named else id} is {seen[id].level}: {seen[id].reason}")
    return f"Not on record: {'; '.join(found)}." if found else ""


def ledger_notice(
    why: str, world: World, policy: Policy, seen: Mapping[str, Verdict], *, replica: str = ""
) -> tuple[str, str]:  # fmt: skip
    """Title and text for calling people while nothing can be committed.

    `replica` is the one that noticed, if there may be several.
    """
    news = unwritten_words(world, policy, seen)
    flags = [f"{key} serves {served}" for key, served in sorted(_served(world, policy).items())]
    still = "No incident opens, no flag switches, no update goes out"
    text = [
        f"{why}.", f"Noticed by {replica}. {still}, unless other replicas can write." if replica else f"{still}.", news,
        f"Flags stay as they are: {', '.join(flags)}." if flags else "",
    ]  # fmt: skip
    title = "Understudy cannot write, and a provider fails" if news else "Understudy cannot write its ledger"
    return title, " ".join(filter(None, text))


def nothing_written(error: StoreError, since: datetime, world: World, policy: Policy, *, replica: str = "") -> Message:
    """The post about it: what has happened, what stops, what still works, what to do.

    A `replica` among others cannot know whether it alone is cut off.
    """
    why = _why(error)
    flags = words([f"{code(key)} on *{foreign(served, 40)}*" for key, served in sorted(_served(world, policy).items())])
    head = f"Nothing is being recorded: {why}"
    still = "No incident opens, no flag switches, no update goes out, and nobody can change anything."
    if replica:
        away = error.kind is StoreTrouble.AWAY
        head = f"{replica} cannot reach its database" if away else f"{replica} cannot record anything: {why}"
        still = "The others continue if they can. If none can, no incident opens, no flag switches, nobody can change anything."
    text = [
        f"🔴 *{head}* (since {when(since)}).",
        still,
        "Checks go on, and what fails is said here.",
        meanwhile(error) + (f" Now: {flags}." if flags else ""),
    ]
    return _post(f"🔴 {head}", text)


def fails_unwritten(
    error: StoreError, levels: Mapping[str, Level], seen: Mapping[str, Verdict], world: World, policy: Policy, *,
    replica: str = "",
) -> Message:  # fmt: skip
    """The post about one provider's components that fail, or failed, while nothing can be committed."""
    bad = {id: level for id, level in levels.items() if level.bad}
    if not bad:
        well = f"{_named(levels, policy)} again"
        return _post(f"🟢 {well}", [f"🟢 *{well}*. It failed while nothing could be recorded: {_why(error)}."])
    icon = "🔴" if Level.DOWN in bad.values() else "🟠"
    names, served = _named(levels, policy), _served(world, policy)
    flags = [
        f"{code(f.key)} stays on *{foreign(served[f.key], 40)}*"
        for f in policy.flags.values()
        if bad.keys() & set(f.depends_on)
    ]
    cannot = f"{replica} cannot open an incident" if replica else "no incident can open"
    still = f"No flag switches: {words(flags)}." if flags else "No flag depends on it."
    reasons = [f"{component_name(policy, id)}: {stop(foreign(seen[id].reason, 300))}" for id in bad if id in seen]
    text = [
        f"{icon} *{names}*, and {cannot}: {_why(error)}.",
        f"Unless another replica can, {still[0].lower()}{still[1:]}" if replica and flags else still,
        *reasons,
        f"The incident opens as soon as {'one of them' if replica else 'I'} can write again.",
    ]
    return _post(f"{icon} {names}, and {cannot}: {_why(error)}", text)


def failed_unwritten(levels: Mapping[str, Level], at: datetime, policy: Policy) -> Message:
    """That post once the failure is over."""
    failing = words([component_name(policy, id) for id, level in sorted(levels.items()) if level.bad])
    return _post(
        f"⚪ {failing}",
        [f"⚪ *{failing}* was still failing when I could write again ({when(at)}). What still fails has an incident now."],
    )


def recovered_unseen(error: StoreError, provider: str) -> Message:
    """The post about a provider that recovered while the bot restarted."""
    well = f"Nothing of {foreign(provider, 80)} fails any more"
    return _post(f"🟢 {well}", [f"🟢 *{well}*. It failed while nothing could be recorded: {_why(error)}."])


def failed_before(provider: str, at: datetime) -> Message:
    """That post once it is over, if nobody knows what the earlier process saw."""
    failed = f"{foreign(provider, 80)} failed while nothing could be recorded"
    return _post(f"⚪ {failed}", [f"⚪ *{failed}* (until {when(at)}). What still fails has an incident now."])


def was_unwritten(since: datetime, at: datetime, *, replicas: bool = False) -> Message:
    """The post about the ledger once it works again."""
    if replicas:
        text = f"⚪ Not every replica could write from {when(since)} to {when(at)}."
        return _post("⚪ For a while not every replica could write", [text])
    return _post("⚪ For a while nothing was recorded", [f"⚪ Nothing was recorded from {when(since)} to {when(at)}."])


def written_again(since: datetime, at: datetime, *, replicas: bool = False) -> Message:
    """The post about the end: what is lost, and what is not."""
    if replicas:
        text = [
            f"🟢 *The database can be written again* (since {when(at)}).",
            f"What failed and recovered from {when(since)} on, while no replica could, has no incident; "
            "what fails now is handled now.",
        ]
        return _post("🟢 The database can be written again", text)
    text = [
        f"🟢 *Everything is recorded again* (since {when(at)}).",
        f"What failed and recovered from {when(since)} on has no incident; what fails now is handled now.",
    ]
    return _post("🟢 Everything is recorded again", text)


def _post(text: str, lines: list[str]) -> Message:
    return fit(Message(text, (section("\n".join(lines)),)))


def _named(levels: Mapping[str, Level], policy: Policy) -> str:
    """`Claude API and claude.ai are down; Claude Code is degraded`, worst first."""
    groups: dict[Level, list[str]] = {}
    for id, level in sorted(levels.items(), key=lambda item: (-item[1].rank, item[0])):
        groups.setdefault(level, []).append(component_name(policy, id))
    return "; ".join(f"{words(names)} {'are' if len(names) > 1 else 'is'} {level}" for level, names in groups.items())


def _why(error: StoreError) -> str:
    sentence = WHY[error.kind]
    return sentence[0].lower() + sentence[1:]


def _served(world: World, policy: Policy) -> dict[str, str]:
    whole = [state for key, state in world.flags.items() if not scope_of(key)]
    engaged = {state.key: state.engagement.variant for state in whole if state.engagement}
    return {key: flag.default for key, flag in policy.flags.items()} | engaged
