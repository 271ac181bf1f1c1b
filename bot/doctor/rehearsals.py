"""What rehearsals of fallbacks cost per day, and which fallbacks are not rehearsed at all."""

from collections.abc import Iterator
from datetime import timedelta

from bot.checks.llm.rehearsal.runner import estimate
from bot.config.models import Config
from bot.config.policy import to_policy
from bot.config.scalars import show
from bot.core.decide.flags.readiness import rehearsed
from bot.core.policy import FlagPolicy
from bot.wiring.flags.rehearsing import ALL_A_DAY, asked_with

A_DAY = timedelta(days=1)


def look_at_rehearsals(config: Config) -> Iterator[tuple[str, str, str]]:
    """State, subject and sentence for each flag with `rehearse`; the last one for all of them."""
    policy = to_policy(config)
    flags = [flag for flag in policy.flags.values() if rehearsed(flag)]
    for flag in flags:
        yield from _look_at(flag, config)
    allowed = sum(flag.rehearse.dollars_per_day for flag in flags if flag.rehearse)
    if allowed > ALL_A_DAY:
        words = f"the flags may spend ${allowed:.2f} a day; all together they stop at ${ALL_A_DAY:.2f}"
        yield "note", "rehearse", words


def _look_at(flag: FlagPolicy, config: Config) -> Iterator[tuple[str, str, str]]:
    rules, subject, dollars = flag.rehearse, f"flags.{flag.key}.rehearse", 0.0
    if rules is None:
        return
    times = A_DAY / rules.every
    for one in rehearsed(flag):
        component = one.needs or ""
        check, price = asked_with(config, component, flag.variants.get(one.variant)), config.prices.get(component)
        if isinstance(check, str):
            yield "note", subject, f"{one.variant} is never rehearsed: {check}"
        elif price is None:
            yield (
                "note",
                subject,
                f"{one.variant} costs what it costs: no price of {component}, so the budget of {check.id} holds",
            )
        else:
            _, _, most = estimate(check, rules.needs, rules.context_tokens, price.dollars)
            dollars += most * times
            if most > rules.dollars_per_day:
                words = f"{one.variant} is never rehearsed: it may cost ${most:.2f}, and a day has ${rules.dollars_per_day:.2f}"
                yield "note", subject, words
    if dollars:
        bound = f"bounded by ${rules.dollars_per_day:.2f}" if dollars > rules.dollars_per_day else "within its budget"
        yield "good", subject, f"at most ${dollars:.2f} a day (every {show(rules.every)}), {bound}"
