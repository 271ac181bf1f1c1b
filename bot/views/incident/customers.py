"""How many customers were served in an incident: as one line, and as figures for programs."""

from typing import Any

from bot.core.codec import encode
from bot.core.outcomes.served import Served, VariantShare
from bot.core.policy import Policy
from bot.timeline.words import percent
from bot.views.names import plain_variant_name
from bot.views.text import foreign, plain

MOST_NAMED = 3


def served_line(served: Served | None, policy: Policy, *, most: int = MOST_NAMED) -> str:
    """For mrkdwn, naming at most `most` servers; empty if nothing was reported."""
    return foreign(plain_served(served, policy, most=most), 300) if served else ""


def plain_served(served: Served, policy: Policy, *, most: int = MOST_NAMED) -> str:
    """`Customers served: 99.2 % of 12,400 requests (GPT 11,900, Claude 400); 60 lost before the switch`."""
    named = [f"{_name(one, policy)} {one.ok:,}" for one in served.shares if one.ok][:most]
    by = f" ({', '.join(named)})" if named else ""
    lost = f"; {served.lost_before:,} lost before the switch" if served.lost_before else ""
    requests = "request" if served.total == 1 else "requests"
    return f"Customers served: {percent(served.share)} of {served.total:,} {requests}{by}{lost}"


def _name(share: VariantShare, policy: Policy) -> str:
    flag = policy.flags.get(share.flag)
    if flag and share.variant:
        return plain_variant_name(flag, share.variant)
    if share.provider:
        return plain(policy.provider_name(share.provider), 40)
    return plain(share.variant, 40) or "variant not told"


def served_figures(served: Served | None) -> dict[str, Any] | None:
    """Counts, and shares from 0 to 1; None if nothing was reported."""
    if served is None:
        return None
    return {
        "until": encode(served.until),
        "requests": served.total,
        "ok": served.ok,
        "failed": served.failed,
        "share": round(served.share, 6),
        "without_switch": round(served.without_switch, 6),
        "lost_before_switch": served.lost_before,
        "saved_by_fallbacks": served.saved,
        "switched_at": encode(served.switched),
        "by": encode(served.shares),
    }
