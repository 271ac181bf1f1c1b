"""The buttons that switch a flag and switch it back. Each asks first, and says who is affected.

`number` is that of the incident that they belong to, where there is one.
"""

from bot.core.decide.flags.choosing import Stay, offer
from bot.core.decide.flags.failover import default_unwell
from bot.core.decide.flags.readiness import unready
from bot.core.policy import FlagPolicy, Policy
from bot.core.record.flag import Engagement, FlagState
from bot.core.record.world import World
from bot.views.blocks import Block, button, confirm
from bot.views.names import plain_flag_name, plain_variant_name
from bot.views.text import capital, plain


def flag_buttons(flag: FlagPolicy, world: World, policy: Policy, number: int | None = None) -> list[Block]:
    """What a person can do to a flag now: switch it, approve a proposal, start the way back, switch back at once."""
    state = world.flag(flag.key)
    if state.engagement is None:
        made = engage_button(flag, state, world, policy, number)
        return [made] if made else []
    back = [step_back_button(flag, policy, number)] if state.engagement.asked_at else []
    return [*back, release_button(flag, state.engagement, world, policy, number)]


def engage_button(flag: FlagPolicy, state: FlagState, world: World, policy: Policy, number: int | None = None) -> Block | None:
    """Switch to the best fallback, or the proposed one; None where nothing may be switched to."""
    if state.proposal:
        variant = state.proposal.variant
    else:
        choice = offer(world, flag)
        if isinstance(choice, Stay):
            return None
        variant = choice.variant
    why = unready(world, flag, variant)
    more = {**({"approves": True} if state.proposal else {}), **({"force": True} if why else {})}
    value = _value(flag.key, number, variant=variant, **more)
    name, to = plain(plain_flag_name(flag.key, policy), 30), plain(plain_variant_name(flag, variant), 25)
    careful = f" Careful: {plain(why, 100)}." if why else ""
    text = f"{affected(flag, policy)} uses {to} at once. You can switch back at any time.{careful}"
    question = confirm(f"Switch {name} to {to}?", text, "Switch")
    return button(f"Switch {name} to {to}", f"flag.engage:{flag.key}", value, style="primary", confirm=question)


def step_back_button(flag: FlagPolicy, policy: Policy, number: int | None = None, *, alone: bool = False) -> Block:
    """Start the way back; `alone` = the only button of its kind in the message."""
    action = "flag.step_back" if alone else f"flag.step_back:{flag.key}"
    first, to = min(flag.steps, default=100), plain(plain_variant_name(flag, flag.default), 25)
    what = "" if alone else f" of {plain(plain_flag_name(flag.key, policy), 25)}"
    return button(f"Send {first} %{what} back to {to}", action, _value(flag.key, number), style="primary")


def release_button(
    flag: FlagPolicy, engagement: Engagement, world: World, policy: Policy, number: int | None = None, *, alone: bool = False
) -> Block:
    """Back to the default for everybody at once."""
    action = "flag.release" if alone else f"flag.release:{flag.key}"
    name, to = plain(plain_flag_name(flag.key, policy), 30), plain(plain_variant_name(flag, flag.default), 25)
    unwell = default_unwell(world, flag, policy.name_of)
    warning = f" Careful: {plain(unwell, 80)}." if unwell else ""
    was = plain(plain_variant_name(flag, engagement.variant), 25)
    question = confirm(
        f"Switch {name} back?",
        f"{affected(flag, policy)} goes from {was} back to {to} at once.{warning}",
        "Switch back",
        danger=True,
    )
    return button(f"Switch {name} back to {to}", action, _value(flag.key, number), style="danger", confirm=question)


def affected(flag: FlagPolicy, policy: Policy) -> str:
    """Who feels a switch, plain: `All of support chat (Which provider answers the support chat)`."""
    what = f" ({plain(flag.description, 100)})" if flag.description else ""
    return capital(f"all of {plain(plain_flag_name(flag.key, policy), 60)}{what}")


def _value(flag: str, number: int | None, **more: object) -> dict[str, object]:
    return {"flag": flag, **more, **({"incident": number} if number is not None else {})}
