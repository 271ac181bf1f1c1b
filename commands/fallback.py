"""`/fallback`: see and switch flags."""

import re

from bot.core.policy import FlagPolicy
from bot.core.signals import EngageFlag, RehearseFlag, ReleaseFlag
from bot.views.answers import shown
from bot.views.flags.board import flag_status
from bot.views.flags.readers import flag_readers
from bot.views.flags.rehearsals import rehearsal_results
from commands.desk import CommandContext, Request, Respond, answer
from commands.helping import help_message
from commands.parse import Misunderstood, duration_first, nearest, split_verb
from commands.table import FALLBACK


async def fallback(desk: CommandContext, asked: Request, respond: Respond) -> None:
    """Answer `/fallback VERB ...`."""
    verb, rest = split_verb(asked.text)
    try:
        match verb:
            case "" | "help":
                await answer(respond, help_message(FALLBACK, asked.word))
            case "status" | "list":
                world, policy = desk.engine.world, desk.engine.policy
                await answer(respond, flag_status(world, policy, desk.clock.now(), desk.readers()))
            case "clients" | "readers":
                key, _ = _flag(desk, rest)
                await answer(respond, flag_readers(key, desk.engine.policy, desk.board.readers_of(key)))
            case "engage":
                said = await desk.engine.handle(engagement(desk, asked, rest))
                await answer(respond, shown(said))
            case "rehearse":
                await _rehearse(desk, asked, rest, respond)
            case "release":
                said = await desk.engine.handle(_release(desk, asked, rest))
                await answer(respond, shown(said))
            case _:
                known = [v.name for v in FALLBACK.verbs]
                text = f"`/fallback {verb[:40]}` is not known.{nearest(verb, known)} `/fallback help` shows what is."
                await answer(respond, text)
    except Misunderstood as wrong:
        await answer(respond, wrong.answer)


async def _rehearse(desk: CommandContext, asked: Request, text: str, respond: Respond) -> None:
    """Say at once that it runs, and the result when it is there: that may take a minute."""
    key, _ = _flag(desk, text)
    said = await desk.engine.handle(RehearseFlag(actor=asked.actor, id=asked.signal_id, flag=key))
    await answer(respond, shown(said))
    flag = desk.engine.policy.flags.get(key)
    if said.ok and flag and await desk.rehearsed(key):
        await answer(respond, rehearsal_results(flag, desk.engine.world, desk.engine.policy, desk.clock.now()))


def _flag(desk: CommandContext, text: str) -> tuple[str, str]:
    key, rest = split_verb(text)
    known = {*desk.engine.policy.flags, *desk.engine.world.flags}
    if not key:
        raise Misunderstood(f"Which flag? {_known(known)}")
    if key not in known and (meant := _spoken(desk, text)):
        return meant
    if key not in known:
        raise Misunderstood(f"There is no flag `{key[:80]}`.{nearest(key, known)} {_known(known)}")
    return key, rest


def _spoken(desk: CommandContext, text: str) -> tuple[str, str] | None:
    """The flag that is called as messages call it (`support chat`, `support-chat`), the longest name first, and the rest."""
    policy, said = desk.engine.policy, re.sub("[-_]", " ", text.lower())
    names = sorted(((policy.flag_name(key), key) for key in policy.flags), key=lambda one: -len(one[0]))
    return next(((key, text[len(name) :].strip()) for name, key in names if f"{said} ".startswith(f"{name.lower()} ")), None)


def _known(keys: set[str]) -> str:
    return f"There are: {', '.join(f'`{key}`' for key in sorted(keys))}." if keys else "No flag is configured."


def engagement(desk: CommandContext, asked: Request, text: str) -> EngageFlag:
    """Read `FLAG [VARIANT] [force] [for 2h] [REASON]`. Raises Misunderstood."""
    key, rest = _flag(desk, text)
    policy = desk.engine.policy.flags.get(key)
    variant = _variant(policy, rest.partition(" ")[0]) if policy else ""
    if variant:
        rest = rest.partition(" ")[2].strip()
    force, rest = _force_first(rest)
    hold_for = None
    if rest.lower().startswith("for "):
        hold_for, rest = duration_first(rest[4:])
    return EngageFlag(
        actor=asked.actor, id=asked.signal_id, flag=key, variant=variant, reason=rest, hold_for=hold_for, force=force
    )


def _force_first(rest: str) -> tuple[bool, str]:
    word, after = split_verb(rest)
    return (True, after) if word == "force" else (False, rest)


def _variant(policy: FlagPolicy, word: str) -> str:
    """The variant that a word names; empty where it begins a reason. A slip of the finger must not switch to something else."""
    if word in policy.variants:
        return word
    fallbacks = {name.lower(): name for name in policy.variants if name != policy.default}
    if word.lower() in fallbacks:
        return fallbacks[word.lower()]
    close = nearest(word, fallbacks) if word.lower() not in (policy.default.lower(), "for", "force") else ""
    if close:
        known = ", ".join(f"`{name}`" for name in policy.variants)
        raise Misunderstood(f"`{policy.key}` has no variant `{word[:60]}`.{close} It has: {known}. Nothing was switched.")
    return ""


def _release(desk: CommandContext, asked: Request, text: str) -> ReleaseFlag:
    key, rest = _flag(desk, text)
    force, rest = _force_first(rest)
    return ReleaseFlag(actor=asked.actor, id=asked.signal_id, flag=key, reason=rest, force=force)
