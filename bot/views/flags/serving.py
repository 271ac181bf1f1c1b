"""Whether customers are served, flag by flag, worded for alert, card and updates."""

from datetime import datetime

from bot.core.decide.flags.choosing import Stay, VariantRank, offer, served, shares_the_trouble, standing
from bot.core.decide.flags.scopes import variant_of_rest
from bot.core.lazy_dataclass import dataclass
from bot.core.policy import Fallback, FlagPolicy, Policy
from bot.core.record.flag import Engagement
from bot.core.record.world import World
from bot.views.names import component_name, flag_name, variant_name
from bot.views.text import capital, clock, how, words


@dataclass(frozen=True)
class Serving:
    """The state of one flag's customers: `served`, or None if unknown; `words` without a full stop, for mrkdwn."""

    served: bool | None
    words: str


def serving(flag: FlagPolicy, world: World, policy: Policy, now: datetime) -> Serving | None:
    """The state of the customers behind a flag; None if it is on its default and all is as usual."""
    name, engagement = flag_name(flag.key, policy), world.flag(flag.key).engagement
    if engagement:
        return _switched(flag, engagement, world, policy, now)
    default = f"*{variant_name(flag, flag.default)}*"
    match standing(world, flag, flag.default):
        case VariantRank.GOOD | VariantRank.WITHOUT_MODEL:
            return None
        case VariantRank.DEGRADED:
            return Serving(True, f"*{name}* stays on {default}, which is slow or partly failing")
        case VariantRank.UNKNOWN:
            return Serving(None, f"nobody can tell whether *{name}* is served")
        case VariantRank.TOO_SLOW:
            return Serving(False, f"*{capital(name)} is slow.* {_way_out(flag, world, policy)}")
    return Serving(False, f"*{capital(name)} is failing.* {_way_out(flag, world, policy)}")


def frozen_line(world: World, now: datetime) -> str:
    """That no rule may switch anything at present, and who said so; empty while rules may."""
    freeze = world.freeze
    since = f"since {clock(freeze.at, now)}, " if freeze.at else ""
    return f"❄️ Automation of flags is frozen ({since}{how(freeze.by)}): nothing switches by itself." if freeze.by else ""


def _switched(flag: FlagPolicy, engagement: Engagement, world: World, policy: Policy, now: datetime) -> Serving:
    name, fallback = flag_name(flag.key, policy), f"*{variant_name(flag, engagement.variant)}*"
    if not standing(world, flag, served(world, flag)).serves:
        behind = next((one.needs for one in flag.fallbacks if one.variant == engagement.variant), None) or ""
        level = world.component(behind).level
        return Serving(
            False, f"*{capital(name)} is failing.* It is on {fallback}, and {component_name(policy, behind)} is {level} too"
        )
    if engagement.share_back and not standing(world, flag, variant_of_rest(world, flag)).serves:
        default, left = variant_name(flag, variant_of_rest(world, flag)), engagement.share_back
        where = f"{left} % of it is on *{default}*, {engagement.share} % on {fallback}"
        return Serving(False, f"*{capital(name)} is failing.* {where}")
    if engagement.share_back and not engagement.stepped_at:
        chosen = f"{engagement.share} % is on {fallback}, the rest on *{variant_name(flag, variant_of_rest(world, flag))}*"
        return Serving(True, f"*{name}*: {chosen}")
    if engagement.all_back:
        return Serving(True, f"*{name}*: back on *{variant_name(flag, flag.default)}*, older conversations end on {fallback}")
    if engagement.share_back:
        back = f"{engagement.share_back} % is back on *{variant_name(flag, flag.default)}*, the rest on {fallback}"
        return Serving(True, f"*{name}*: {back}")
    verb = "approved" if engagement.mode == "approved" else ""
    by = f"{verb} {how(engagement.actor)}".strip()
    return Serving(True, f"*{name}* switched to {fallback} at {clock(engagement.at, now)} ({by})")


def _way_out(flag: FlagPolicy, world: World, policy: Policy) -> str:
    """What can be done for a flag whose default fails."""
    proposal = world.flag(flag.key).proposal
    if proposal:
        given = f" ({len(proposal.yes)} of {flag.quorum} given)" if proposal.yes else ""
        return f"A switch to *{variant_name(flag, proposal.variant)}* waits for {'another' if given else 'your'} yes{given}"
    choice = offer(world, flag)
    if not isinstance(choice, Stay):
        return f"It can be switched to *{variant_name(flag, choice.variant)}*"
    if not flag.fallbacks:
        return "It has no fallback"
    sick = [one for one in flag.fallbacks if one.needs and standing(world, flag, one.variant) > VariantRank.GOOD]
    too = [f"{variant_name(flag, one.variant)} {_no_better(one, flag, world)}" for one in sick]
    return f"No fallback is healthy: {words(too, most=3)}" if too else "No fallback would be better"


def _no_better(fallback: Fallback, flag: FlagPolicy, world: World) -> str:
    level = world.component(fallback.needs or "").level
    shares = not level.bad and shares_the_trouble(world, flag, fallback)
    return "is of the provider that fails" if shares else f"is {level} too"
