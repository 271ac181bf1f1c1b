"""`/fallback`: see and switch flags."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from bot.core.policy import FlagPolicy
from bot.core.scope import MOST_CHARS, read_scope, scope_of, scoped, typed, whole
from bot.core.signals import (
    EngageFlag,
    ExtendFlag,
    FreezeFlags,
    HoldHandBack,
    PinFlag,
    PlanSwitch,
    RampFlag,
    RehearseFlag,
    RejectProposal,
    ReleaseFlag,
    ResumeHandBack,
    Signal,
    ThawFlags,
    UnpinFlag,
)
from bot.outcomes.lately import requests_lately
from bot.views.answers.in_slack import shown
from bot.views.flags.board import flag_status
from bot.views.flags.readers import flag_readers
from bot.views.flags.rehearsals import rehearsal_results
from commands.desk import CommandContext, Request, Respond, answer
from commands.helping import help_message
from commands.parsing.parse import Misunderstood, duration, duration_first, nearest, split_verb
from commands.table import FALLBACK

PERCENT = re.compile(r"(\d{1,3})\s*%\s*(?:on\s+)?")
SCOPE = re.compile(r"(?:^|(?<=\s))scope\s+([^\s=]+\s*=\s*\S*)\s*", re.IGNORECASE)
NO_SCOPE = f"Which readers? Name an attribute and its value, at most {MOST_CHARS} characters without a space: `scope env=eu`."


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
                key = _whole(desk, verb, rest)
                await answer(respond, flag_readers(key, desk.engine.policy, desk.board.readers_of(key)))
            case "rehearse":
                await _rehearse(desk, asked, rest, respond)
            case _ if verb in SIGNALS:
                signal = SIGNALS[verb](desk, asked, rest)
                if isinstance(signal, PlanSwitch):
                    lately = await requests_lately(desk.samples.outcomes, whole(signal.flag), desk.clock.now())
                    signal = replace(signal, requests=lately)
                said = await desk.engine.handle(signal)
                await answer(respond, shown(said))
            case _:
                known = [v.name for v in FALLBACK.verbs]
                text = f"`/fallback {verb[:40]}` is not known.{nearest(verb, known)} `/fallback help` shows what is."
                await answer(respond, text)
    except Misunderstood as wrong:
        await answer(respond, wrong.answer)


async def _rehearse(desk: CommandContext, asked: Request, text: str, respond: Respond) -> None:
    """Say at once that it is running, then the result: that may take a minute."""
    key = _whole(desk, "rehearse", text)
    said = await desk.engine.handle(RehearseFlag(actor=asked.actor, id=asked.signal_id, flag=key))
    await answer(respond, shown(said))
    flag = desk.engine.policy.flags.get(key)
    if said.ok and flag and await desk.rehearsed(key):
        await answer(respond, rehearsal_results(flag, desk.engine.world, desk.engine.policy, desk.clock.now()))


def _flag(desk: CommandContext, text: str) -> tuple[str, str]:
    """The flag, or its scope if one follows anywhere (`scope env=eu`), and the rest."""
    named, rest = _named(desk, text)
    key, at, part = named.partition("@")
    found = [part] if at else []
    found += ["".join(said.split()) for said in SCOPE.findall(rest)]
    rest = SCOPE.sub("", rest).strip()
    if not found:
        _no_scope(rest)
        return key, rest
    if len(found) > 1:
        raise Misunderstood("One scope at a time. Nothing was changed.")
    scope = read_scope(found[0])
    if scope is None:
        raise Misunderstood(f"`{found[0][:80]}` is not a scope. {NO_SCOPE} Nothing was changed.")
    return scoped(key, scope), rest


def _no_scope(rest: str) -> None:
    """A typo must not switch all readers. Raises Misunderstood."""
    if re.match(r"scope(?!\S)", rest, re.IGNORECASE):
        raise Misunderstood(f"{NO_SCOPE} Nothing was changed.")


def _whole(desk: CommandContext, verb: str, text: str) -> str:
    """A whole flag. Raises Misunderstood for a scope."""
    key, _ = _flag(desk, text)
    if scope_of(key):
        raise Misunderstood(f"`{verb}` is for all readers of a flag: `/fallback {verb} {whole(key)}`.")
    return key


def _named(desk: CommandContext, text: str) -> tuple[str, str]:
    key, rest = split_verb(text)
    known = {whole(one) for one in (*desk.engine.policy.flags, *desk.engine.world.flags)}
    if not key:
        raise Misunderstood(f"Which flag? {_known(known)}")
    if whole(key) in known:
        return key, rest
    if meant := _spoken(desk, text):
        return meant
    if key not in known:
        raise Misunderstood(f"There is no flag `{key[:80]}`.{nearest(key, known)} {_known(known)}")
    return key, rest


def _spoken(desk: CommandContext, text: str) -> tuple[str, str] | None:
    """The flag by its name in messages (`support chat`, `support-chat`), the longest name first, and the rest."""
    policy, said = desk.engine.policy, re.sub("[-_]", " ", text.lower())
    names = sorted(((policy.flag_name(key), key) for key in policy.flags), key=lambda one: -len(one[0]))
    return next(((key, text[len(name) :].strip()) for name, key in names if f"{said} ".startswith(f"{name.lower()} ")), None)


def _known(keys: set[str]) -> str:
    return f"There are: {', '.join(f'`{key}`' for key in sorted(keys))}." if keys else "No flag is configured."


def engagement(desk: CommandContext, asked: Request, text: str) -> EngageFlag:
    """Read `FLAG [VARIANT] [25%] [force] [for 2h] [scope env=eu] [REASON]`. Raises Misunderstood."""
    key, rest = _flag(desk, text)
    variant, rest = _variant_first(desk, key, rest)
    share, rest = _share_first(rest)
    force, rest = _force_first(rest)
    hold_for = None
    if rest.lower().startswith("for "):
        hold_for, rest = duration_first(rest[4:])
    _no_scope(rest)
    return EngageFlag(
        actor=asked.actor, id=asked.signal_id, flag=key, variant=variant, reason=rest, hold_for=hold_for,
        share=100 if share is None else share, force=force,
    )  # fmt: skip


def _variant_first(desk: CommandContext, key: str, rest: str) -> tuple[str, str]:
    """The variant at the start of a text, empty if there is none; and the rest."""
    policy = desk.engine.policy.flag(key)
    variant = _variant(policy, rest.partition(" ")[0]) if policy else ""
    return variant, rest.partition(" ")[2].strip() if variant else rest


def _share_first(rest: str) -> tuple[int | None, str]:
    """The share at the start of a text, None if there is none; and the rest."""
    match = PERCENT.match(rest)
    return (int(match[1]), rest[match.end() :].strip()) if match else (None, rest)


def _variant(policy: FlagPolicy, word: str) -> str:
    """The variant that a word names; empty if it starts a reason. A typo must not switch to something else."""
    if word in policy.variants:
        return word
    fallbacks = {name.lower(): name for name in policy.variants if name != policy.default}
    if word.lower() in fallbacks:
        return fallbacks[word.lower()]
    close = nearest(word, fallbacks) if word.lower() not in (policy.default.lower(), "for", "force") else ""
    if close:
        key, known = whole(policy.key), ", ".join(f"`{name}`" for name in policy.variants)
        raise Misunderstood(f"`{key}` has no variant `{word[:60]}`.{close} It has: {known}. Nothing was switched.")
    return ""


def _release(desk: CommandContext, asked: Request, text: str) -> ReleaseFlag:
    key, rest = _flag(desk, text)
    force, rest = _force_first(rest)
    return ReleaseFlag(actor=asked.actor, id=asked.signal_id, flag=key, reason=rest, force=force)


def _force_first(rest: str) -> tuple[bool, str]:
    word, after = split_verb(rest)
    return (True, after) if word == "force" else (False, rest)


def _approve(desk: CommandContext, asked: Request, text: str) -> EngageFlag:
    return EngageFlag(actor=asked.actor, id=asked.signal_id, flag=_alone(desk, text), approves=True)


def _reject(desk: CommandContext, asked: Request, text: str) -> RejectProposal:
    key, rest = _flag(desk, text)
    return RejectProposal(actor=asked.actor, id=asked.signal_id, flag=key, reason=rest)


def _plan(desk: CommandContext, asked: Request, text: str) -> PlanSwitch:
    read = engagement(desk, asked, text)
    readers = desk.board.readers(whole(read.flag)) if desk.board.ready else 0
    return PlanSwitch(actor=asked.actor, flag=read.flag, variant=read.variant, share=read.share, readers=readers)


def _ramp(desk: CommandContext, asked: Request, text: str) -> RampFlag:
    key, rest = _flag(desk, text)
    share, rest = _share_first(rest if "%" in rest.partition(" ")[0] else re.sub(r"^(\d{1,3})(?=\s|$)", r"\1%", rest))
    if share is None:
        raise Misunderstood(f"Which share is to be on the fallback? Such as `/fallback ramp {typed(key)} 50%`.")
    force, rest = _force_first(rest)
    return RampFlag(actor=asked.actor, id=asked.signal_id, flag=key, share=share, reason=rest, force=force)


def _hold(desk: CommandContext, asked: Request, text: str) -> HoldHandBack:
    key, rest = _flag(desk, text)
    return HoldHandBack(actor=asked.actor, id=asked.signal_id, flag=key, reason=rest)


def _resume(desk: CommandContext, asked: Request, text: str) -> ResumeHandBack:
    return ResumeHandBack(actor=asked.actor, id=asked.signal_id, flag=_alone(desk, text))


def _extend(desk: CommandContext, asked: Request, text: str) -> ExtendFlag:
    key, rest = _flag(desk, text)
    rest = re.sub(r"^(for|by)\s+", "", rest, flags=re.IGNORECASE)
    if not rest:
        raise Misunderstood(f"By how long? Such as `/fallback extend {typed(key)} 2h`.")
    return ExtendFlag(actor=asked.actor, id=asked.signal_id, flag=key, lasts=duration(rest))


def _pin(desk: CommandContext, asked: Request, text: str) -> PinFlag:
    key, rest = _flag(desk, text)
    policy, first = desk.engine.policy.flag(key), rest.partition(" ")[0]
    if policy and first.lower() == policy.default.lower():
        variant, rest = policy.default, rest.partition(" ")[2].strip()
    else:
        variant, rest = _variant_first(desk, key, rest)
    return PinFlag(actor=asked.actor, id=asked.signal_id, flag=key, variant=variant, reason=rest)


def _unpin(desk: CommandContext, asked: Request, text: str) -> UnpinFlag:
    return UnpinFlag(actor=asked.actor, id=asked.signal_id, flag=_alone(desk, text))


def _alone(desk: CommandContext, text: str) -> str:
    """A flag's key, with nothing after it that would be ignored. Raises Misunderstood."""
    key, rest = _flag(desk, text)
    if rest:
        raise Misunderstood(f"`{rest[:60]}` is one word too many after `{typed(key)}`. Nothing was changed.")
    return key


def _freeze(desk: CommandContext, asked: Request, text: str) -> FreezeFlags:
    return FreezeFlags(actor=asked.actor, id=asked.signal_id, reason=text)


def _thaw(desk: CommandContext, asked: Request, text: str) -> ThawFlags:
    return ThawFlags(actor=asked.actor, id=asked.signal_id, reason=text)


SIGNALS: Mapping[str, Callable[[CommandContext, Request, str], Signal]] = {
    "engage": engagement, "approve": _approve, "reject": _reject, "release": _release, "plan": _plan, "ramp": _ramp,
    "hold": _hold, "resume": _resume, "extend": _extend, "pin": _pin, "unpin": _unpin, "freeze": _freeze, "thaw": _thaw,
}  # fmt: skip
