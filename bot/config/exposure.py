"""What the HTTP server exposes, and to whom: settings that are each valid but together admit more, or fewer, than intended."""

import ipaddress
import socket
from collections.abc import Sequence
from fnmatch import fnmatchcase

from bot.config.reading.errors import Report
from bot.config.reading.tree import Node, Path, Scalar, child, entries, items, plain, text
from bot.config.scalars import split_listen

DEFAULT_LISTEN = "127.0.0.1:8080"
LEAST_TOKEN = 12  # characters


def check_exposure(root: Node, report: Report) -> None:
    """Check for tokens that grant less than they seem to, flags that nobody may read, and anything open to everybody."""
    _check_tokens(root, report)
    _check_readers(root, report)
    by_http = text(child(root, "slack", "mode")) == "http"
    opened = child(root, "server", "open_to_loopback")
    if by_http and opened is not None and _opens_to_loopback(child(root, "server")):
        sentence = "Slack comes through a proxy, which counts as this machine: anybody who finds it may read; set read tokens"
        report.warn(opened.mark, ("server", "open_to_loopback"), sentence)
    whoever = _who_reaches(child(root, "server"), items(child(root, "peers")), by_http=by_http)
    if not whoever:
        return
    for provider in entries(child(root, "providers")):
        for component in entries(child(provider.value, "components")):
            where = ("providers", provider.key, "components", component.key, "checks")
            for index, check in enumerate(items(child(component.value, "checks"))):
                _check_heartbeat(check, (*where, index), whoever, report)


def _check_tokens(root: Node, report: Report) -> None:
    """Tokens that are guessable or also given to readers, and endpoints that nobody can use."""
    server = child(root, "server")
    flag_tokens = (child(one, "token") for one in items(child(server, "flag_tokens")))
    tokens = {name: items(child(server, name)) for name in ("read_tokens", "control_tokens", "outcome_tokens")}
    tokens["read_tokens"] += tuple(token for token in flag_tokens if token is not None)
    for name in ("control_tokens", "outcome_tokens"):
        for index, token in enumerate(tokens[name]):
            if 0 < len(text(token) or "") < LEAST_TOKEN:
                remedy = f"at least {LEAST_TOKEN} characters, such as `openssl rand -hex 24` prints"
                report.error(token.mark, ("server", name, index), "the token is too short to be secret", remedy)
    _check_no_token_twice(tokens, report)
    _check_flag_tokens(root, report)
    listen = child(server, "listen")
    may_read = tokens["read_tokens"] or tokens["control_tokens"]
    if listen is not None and listens_everywhere(text(listen) or "") and not may_read:
        remedy = "set `read_tokens` (and `control_tokens` where it is used), or listen on 127.0.0.1"
        report.error(listen.mark, ("server", "listen"), "it is open to everybody, and without a token nobody may read", remedy)


def _check_no_token_twice(tokens: dict[str, tuple[Node, ...]], report: Report) -> None:
    """A token listed for two purposes may do more than either list says."""
    for name, other, words, could in (
        ("control_tokens", "read_tokens", "it is a read token too", "whoever may read could change everything"),
        ("outcome_tokens", "read_tokens", "it is a read token too", "every service has the one for outcomes"),
        (
            "outcome_tokens",
            "control_tokens",
            "it is a control token too",
            "every service could change everything",
        ),
    ):
        theirs = {text(token) for token in tokens[other]} - {None, ""}
        for index, token in enumerate(tokens[name]):
            if text(token) in theirs and len(text(token) or "") >= LEAST_TOKEN:
                report.error(token.mark, ("server", name, index), words, f"give each its own: {could}")


def _check_flag_tokens(root: Node, report: Report) -> None:
    """Two indistinguishable tokens, one that grants more than it says, and patterns that match no flag."""
    keys = [one.key for one in entries(child(root, "flags"))]
    whole = [text(token) for token in items(child(root, "server", "read_tokens"))]
    names, tokens = list[str](), list[str]()
    for index, one in enumerate(items(child(root, "server", "flag_tokens"))):
        where = ("server", "flag_tokens", index)
        name, token = child(one, "name"), child(one, "token")
        if name and text(name) in names:
            report.error(
                name.mark, (*where, "name"), "two tokens have this name", "give each its own: its readers are known by it"
            )
        if token and text(token) and text(token) in (*whole, *tokens):
            report.error(token.mark, (*where, "token"), "the same token is used elsewhere", "give each its own")
        names, tokens = [*names, (name and text(name)) or ""], [*tokens, (token and text(token)) or ""]
        for at, pattern in enumerate(items(child(one, "flags"))):
            if text(pattern) and not any(fnmatchcase(key, text(pattern) or "") for key in keys):
                report.warn(pattern.mark, (*where, "flags", at), "no flag has a name like this")


def _check_readers(root: Node, report: Report) -> None:
    server, flags = child(root, "server"), child(root, "flags")
    tokens = child(server, "read_tokens")
    ways = (child(server, "socket"), *items(tokens), *(child(one, "token") for one in items(child(server, "flag_tokens"))))
    may_read = _opens_to_loopback(server) or any(map(_may_hold_something, ways))
    if flags is None or not entries(flags) or may_read:
        return
    sentence = (
        "no service may read the flags: set a read token; if every reader runs on this machine, set `socket` or "
        "`open_to_loopback: true` (without a proxy in front)"
    )
    report.warn((tokens or server or flags).mark, ("server", "read_tokens"), sentence)


def _who_reaches(server: Node | None, peers: Sequence[Node], *, by_http: bool) -> str:
    """Who could report for a job without a token, besides the job; empty if only this machine can, as far as is known.

    A proxy on this machine appears in no setting of ours, but some settings make sense only behind one.
    """
    if not _is_loopback(text(child(server, "listen")) or DEFAULT_LISTEN):
        return "others can, because of server.listen"
    if _opens_to_loopback(server):
        return "everybody on this machine can (and everybody, behind a proxy on it), because of server.open_to_loopback"
    if by_http:
        return "others can, through the proxy that Slack uses, which looks like this machine"
    if any(_may_hold_something(child(peer, "secret")) for peer in peers):
        return "others can, through the proxy that peers use, which looks like this machine"
    flag_tokens = (child(one, "token") for one in items(child(server, "flag_tokens")))
    if any(map(_may_hold_something, (*items(child(server, "read_tokens")), *flag_tokens))):
        return "others can, through the proxy that services with server.read_tokens use, which looks like this machine"
    return ""


def _opens_to_loopback(server: Node | None) -> bool:
    opened = child(server, "open_to_loopback")
    return opened is not None and plain(opened) is not False


def _check_heartbeat(check: Node, path: Path, whoever: str, report: Report) -> None:
    token = child(check, "token")
    if text(child(check, "type")) != "heartbeat" or _may_hold_something(token):
        return
    sentence = f"anybody who reaches the bot may report for this job: {whoever}; give the check a `token`"
    report.warn((token or check).mark, (*path, "token"), sentence)


def _may_hold_something(node: Node | None) -> bool:
    return isinstance(node, Scalar) and (node.broken or bool(text(node)))


def listens_everywhere(listen: str) -> bool:
    """Whether it means all addresses of the machine, however written: `0.0.0.0`, `0`, `[::]`, `[::ffff:0.0.0.0]`."""
    address = _address(listen)
    return address is not None and address.is_unspecified


def _is_loopback(listen: str) -> bool:
    """Whether only this machine can connect; an unreadable value has its own error already."""
    try:
        host = split_listen(listen)[0]
    except ValueError:
        return True
    address = _address(listen)
    return host == "localhost" if address is None else address.is_loopback


def _address(listen: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address to listen on as the system parses it (`0`, `127.1` and `0x7f000001` are valid too); None for a name."""
    try:
        host = split_listen(listen)[0]
        found = ipaddress.ip_address(host) if ":" in host else ipaddress.IPv4Address(socket.inet_aton(host))
    except (ValueError, OSError):
        return None
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found
