"""The buttons that switch a flag and switch it back. Each asks first, and says who is affected.

`number` is that of the incident that they belong to, if any.
"""

from bot.core.decide.flags.choosing import Stay, offer
from bot.core.decide.flags.ramps import next_share
from bot.core.decide.flags.readiness import unready
from bot.core.decide.flags.scopes import rest_unwell, variant_of_rest
from bot.core.decide.warned import warned_unready
from bot.core.policy import FlagPolicy, Policy
from bot.core.record.flag import Engagement, FlagState, Proposal
from bot.core.record.world import World
from bot.views.blocks import Block, button, confirm, warning
from bot.views.names import plain_flag_name, plain_variant_name
from bot.views.text import capital, plain, span


def flag_buttons(flag: FlagPolicy, world: World, policy: Policy, number: int | None = None) -> list[Block]:
    """What a person can do to a flag now: switch it, answer a proposal, start the hand-back, switch back at once."""
    state = world.flag(flag.key)
    if state.engagement is None and state.proposal:
        return proposal_buttons(flag, state.proposal, world, policy, number)
    if state.engagement is None:
        made = engage_button(flag, state, world, policy, number)
        return [made] if made else []
    back = [step_back_button(flag, state.engagement, policy, number)] if state.engagement.asked_at else []
    return [*back, release_button(flag, state.engagement, world, policy, number)]


def engage_button(flag: FlagPolicy, state: FlagState, world: World, policy: Policy, number: int | None = None) -> Block | None:
    """Switch to the best fallback, or the proposed one; None if nothing may be switched to."""
    if state.proposal:
        return _yes(flag, state.proposal, world, policy, number)
    choice = offer(world, flag)
    if isinstance(choice, Stay):
        return None
    name, to = plain(plain_flag_name(flag.key, policy), 30), plain(plain_variant_name(flag, choice.variant), 25)
    why = unready(world, flag, choice.variant)
    text = f"{affected(flag, policy)} uses {to} at once. You can switch back at any time.{kept_off(flag, world)}{_careful(why)}"
    question = confirm(f"Switch {name} to {to}?", text, "Switch")
    value = _value(flag.key, number, variant=choice.variant, **warning(warned_unready(flag.key, choice.variant, why)))
    return button(f"Switch {name} to {to}", f"flag.engage:{flag.key}", value, style="primary", confirm=question)


def _careful(why: str) -> str:
    return f" Careful: {plain(why, 100)}." if why else ""


def proposal_buttons(
    flag: FlagPolicy, proposal: Proposal, world: World, policy: Policy, number: int | None = None
) -> list[Block]:
    """Yes and no to what a rule proposed."""
    name = plain(plain_flag_name(flag.key, policy), 30)
    text = "Nothing is switched, and no rule asks again until the default has recovered."
    no = button(
        f"Leave {name} as it is", f"flag.reject:{flag.key}", _value(flag.key, number, variant=proposal.variant),
        confirm=confirm(f"Leave {name} as it is?", text, "Leave it"),
    )  # fmt: skip
    return [_yes(flag, proposal, world, policy, number), no]


def _yes(flag: FlagPolicy, proposal: Proposal, world: World, policy: Policy, number: int | None) -> Block:
    name, to = plain(plain_flag_name(flag.key, policy), 30), plain(plain_variant_name(flag, proposal.variant), 25)
    text = f"{affected(flag, policy)} uses {to} at once. You can switch back at any time."
    if len(proposal.yes) + 1 < flag.quorum:
        text = f"It takes {flag.quorum} people's yes; yours is number {len(proposal.yes) + 1}. Then all of it uses {to}."
    why = unready(world, flag, proposal.variant)
    marks = warned_unready(flag.key, proposal.variant, why)
    value = _value(flag.key, number, variant=proposal.variant, approves=True, **warning(marks))
    question = confirm(f"Switch {name} to {to}?", f"{text}{_careful(why)}", "Switch" if flag.quorum < 2 else "Yes")
    return button(f"Switch {name} to {to}", f"flag.engage:{flag.key}", value, style="primary", confirm=question)


def step_back_button(
    flag: FlagPolicy, engagement: Engagement, policy: Policy, number: int | None = None, *, alone: bool = False
) -> Block:
    """Start the hand-back; `alone` = the only button of its kind in the message."""
    action = "flag.step_back" if alone else f"flag.step_back:{flag.key}"
    share, to = next_share(flag, engagement), plain(plain_variant_name(flag, flag.default), 25)
    what = "" if alone else f" of {plain(plain_flag_name(flag.key, policy), 25)}"
    return button(f"Send {share} %{what} back to {to}", action, _value(flag.key, number), style="primary")


def release_button(
    flag: FlagPolicy, engagement: Engagement, world: World, policy: Policy, number: int | None = None, *, alone: bool = False
) -> Block:
    """Back to the default for everybody at once."""
    action = "flag.release" if alone else f"flag.release:{flag.key}"
    name, to = plain(plain_flag_name(flag.key, policy), 30), plain(plain_variant_name(flag, variant_of_rest(world, flag)), 25)
    unwell = rest_unwell(world, flag, policy.name_of)
    warning = f" Careful: {plain(unwell, 80)}." if unwell else ""
    was = plain(plain_variant_name(flag, engagement.variant), 25)
    question = confirm(
        f"Switch {name} back?",
        f"{affected(flag, policy)} goes from {was} back to {to} at once.{warning}{kept_off(flag, world)}",
        "Switch back",
        danger=True,
    )
    return button(f"Switch {name} back to {to}", action, _value(flag.key, number), style="danger", confirm=question)


def extend_button(flag: FlagPolicy, engagement: Engagement, number: int | None = None) -> Block:
    """Stay on the fallback for as long again; applies only to the end that it shows."""
    seconds, until = int(flag.expires_after.total_seconds()), engagement.expires_at.isoformat()
    return button(
        f"Keep it {span(flag.expires_after)} longer", "flag.extend", _value(flag.key, number, seconds=seconds, until=until)
    )


def resume_button(flag: FlagPolicy, number: int | None = None) -> Block:
    """Continue a hand-back that somebody halted."""
    return button("Go on switching back", "flag.resume", _value(flag.key, number))


def kept_off(flag: FlagPolicy, world: World) -> str:
    """Who pinned it, as plain text for every button that switches it; empty if nobody did."""
    pin = world.flag(flag.key).pin
    return f" It is pinned by {plain(pin.by.name, 40)}." if pin else ""


def affected(flag: FlagPolicy, policy: Policy) -> str:
    """Who is affected by a switch, as plain text: `All of support chat (“Which provider answers the support chat”)`."""
    what = f" (“{plain(flag.description, 100)}”)" if flag.description else ""
    return capital(f"all of {plain(plain_flag_name(flag.key, policy), 60)}{what}")


def _value(flag: str, number: int | None, **more: object) -> dict[str, object]:
    return {"flag": flag, **more, **({"incident": number} if number is not None else {})}
