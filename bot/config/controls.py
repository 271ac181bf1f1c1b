"""The control group used unless the file defines one: neutral targets of unrelated operators.

Two addresses that need no name (to tell a dead resolver from a dead uplink), two names of unrelated operators, and Slack's
host if Slack is used: a network that allows only chosen hosts must allow that one, or the bot cannot work.
"""

import ipaddress
from datetime import timedelta
from urllib.parse import urlsplit

from bot.config.checks.kinds import DnsCheck, TcpCheck

EVERY = timedelta(seconds=30)
DEADLINE = timedelta(seconds=5)  # a doubt waits for all of them: a vendor that hangs is reported at most this much later


def default_controls(slack_url: str) -> tuple[TcpCheck | DnsCheck, ...]:
    """The targets; without Slack's host if `slack_url` is empty, or names this machine or a private address."""
    ways = [
        TcpCheck(name="cloudflare", host="1.1.1.1", port=443, every=EVERY, deadline=DEADLINE),
        TcpCheck(name="google", host="8.8.8.8", port=443, every=EVERY, deadline=DEADLINE),
    ]
    parts = urlsplit(slack_url)
    if parts.hostname and _public(parts.hostname):
        port = parts.port or (80 if parts.scheme == "http" else 443)
        ways.append(TcpCheck(name="slack", host=parts.hostname, port=port, every=EVERY, deadline=DEADLINE))
    names = [
        DnsCheck(name="root-servers", host="a.root-servers.net", every=EVERY, deadline=DEADLINE),
        DnsCheck(name="wikipedia", host="www.wikipedia.org", every=EVERY, deadline=DEADLINE),
    ]
    return (*ways, *names)


def _public(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return host != "localhost" and not host.endswith(".localhost")
