"""The ways in which a check can fail, as data: one class per cause, with whose fault it is and what may follow. Pure.

Two questions are kept apart. `may_open`: may such failures open an incident? `may_flip`: may they switch a service to its
fallback? A used-up quota may flip (services that share the key are stuck too) but never opens: the provider is healthy.
"""

from collections.abc import Mapping
from types import MappingProxyType

from bot.core.lazy_dataclass import dataclass
from bot.core.model import Fault, Outcome


@dataclass(frozen=True)
class ErrorClass:
    """One class of failure. `sentence` is a clause used in reasons; it contains no foreign text.

    `network` marks failures that our own network (resolver, firewall, route, clock, captive portal) can cause too: they count
    against a provider only while the controls are fine. `reported` marks failures that the provider's own front end reports
    about itself, which a problem of our network never looks like.
    """

    fault: Fault
    sentence: str
    outcome: Outcome = Outcome.FAIL
    may_open: bool = False
    may_flip: bool = False
    network: bool = False
    reported: bool = False


def _theirs(sentence: str, *, network: bool = False, may_flip: bool = True) -> ErrorClass:
    return ErrorClass(Fault.THEIRS, sentence, may_open=True, may_flip=may_flip, network=network)


def _reported(sentence: str) -> ErrorClass:
    return ErrorClass(Fault.THEIRS, sentence, may_open=True, may_flip=True, reported=True)


def _unclear(sentence: str, *, network: bool = False) -> ErrorClass:
    return ErrorClass(Fault.UNCLEAR, sentence, may_open=True, may_flip=True, network=network)


def _ours(fault: Fault, sentence: str, *, may_flip: bool = False) -> ErrorClass:
    return ErrorClass(fault, sentence, may_flip=may_flip)


def _says_nothing(fault: Fault, sentence: str, *, network: bool = False) -> ErrorClass:
    return ErrorClass(fault, sentence, Outcome.INCONCLUSIVE, network=network)


NAMES = {
    "dns": _unclear("the host's name could not be resolved", network=True),
    "dns_mismatch": _theirs("the name does not have the expected record", network=True),
    "dns_nxdomain": _theirs("the host's name does not exist", network=True),
    "dns_timeout": _unclear("no resolver answered", network=True),
}
CONNECTIONS = {
    "closed": _theirs("the connection was accepted and closed without an answer", network=True),
    "connect_refused": _theirs("the connection was refused", network=True),
    "connect_timeout": _unclear("no connection could be made", network=True),
    "deadline": _theirs("no answer", network=True),
    "body_timeout": _theirs("the answer began but did not finish", network=True),
    "reset": _theirs("the connection was reset before an answer came", network=True),
    "unreachable": _unclear("there is no route to the host", network=True),
}
HANDSHAKES = {
    "tls": _unclear("the TLS handshake failed", network=True),
    "tls_expired": _theirs("the certificate is not valid at this time", network=True),
    "tls_expiring": ErrorClass(Fault.THEIRS, "the certificate expires soon", Outcome.SLOW),
    "tls_timeout": _unclear("the TLS handshake did not finish", network=True),
    "tls_untrusted": _unclear("the certificate is not trusted", network=True),
    "tls_wrong_host": _unclear("the certificate is for another name", network=True),
}
ANSWERS = {
    "bad_encoding": _theirs("the body is not encoded as its header says"),
    "head_too_large": _theirs("the header of the answer is too large"),
    "inflates_too_far": _theirs("the compressed body unpacks to far more than its size"),
    "protocol": _theirs("what came back was not HTTP"),
    "redirect_loop": _theirs("the redirects lead in a circle"),
    "redirect_refused": _unclear("the redirect leads to where checks do not follow"),
    "too_large": _says_nothing(Fault.UNCLEAR, "the answer is too large to look through for what is expected"),
    "truncated": _theirs("the answer broke off in the middle"),
}
STATUSES = {
    "auth": _ours(Fault.OURS_KEY, "our key was not accepted"),
    "auth_sudden": _unclear("a key that worked a short while ago is not accepted any more"),
    "bad_request": _ours(Fault.OURS_CONFIG, "the provider does not accept what our check asks for"),
    "capacity": _reported("the provider lacks capacity for this"),
    "challenge": _says_nothing(Fault.UNCLEAR, "bot protection answered, so this says nothing", network=True),
    "gateway": _reported("the provider's gateway got no valid answer from its backend"),
    "http_5xx": _reported("the provider reports an error of its own"),
    "http_unexpected": _unclear("the check does not expect this status"),
    "model_error": _reported("the provider says that its model failed"),
    "not_found": _ours(Fault.OURS_CONFIG, "the provider does not know the path or the model that our check asks for"),
    "overloaded": _reported("the provider says that it is overloaded"),
    "rate_limited": _ours(Fault.OURS_QUOTA, "we are over our rate limit", may_flip=True),
    "spend_limit": _ours(Fault.OURS_QUOTA, "our spending limit or credit is used up", may_flip=True),
    "vendor_timeout": _reported("the provider reports that it ran out of time"),
}
CONTENTS = {
    "body_mismatch": _unclear("the answer does not hold the expected text"),
    "header_mismatch": _unclear("a header is not as expected"),
    "html_instead": _unclear("a web page came back in place of data", network=True),
    "json_mismatch": _unclear("the JSON is not as expected"),
    "not_json": _unclear("the body is not JSON"),
    "pattern_timeout": _says_nothing(Fault.OURS_CONFIG, "the expected pattern takes too long on this answer"),
}
MODELS = {
    "budget_spent": _says_nothing(Fault.OURS_QUOTA, "the check's own budget for today is spent"),
    "empty_answer": _theirs("the model's answer is empty"),
    "stream_error": _reported("the provider reports an error of its own within the stream"),
    "stream_truncated": _theirs("the stream ended without its end mark"),
    "unexpected_shape": _unclear("the answer does not have the documented shape"),
    "wrong_answer": _theirs("the model's answer is not the expected one"),
}
HEARTBEATS = {
    "heartbeat_failed": _theirs("the job reported a failure"),
    "heartbeat_missing": _theirs("the job did not report in time"),
    "heartbeat_overrun": _theirs("the job started and did not report its end in time"),
}
OUR_SIDE = {
    "address_refused": _ours(Fault.OURS_CONFIG, "the address is not one that checks may reach"),
    "bad_check": _ours(Fault.OURS_CONFIG, "the check cannot be sent as it is configured"),
    "blind": _says_nothing(Fault.LOCAL, "our own network was down at that moment, so this says nothing"),
    "lagged": _says_nothing(Fault.LOCAL, "our own process was late meanwhile, so this says nothing"),
    "local": _says_nothing(Fault.LOCAL, "this machine could not open a connection"),
    "proxy": _ours(Fault.LOCAL, "a proxy on our side wants credentials"),
    "proxy_failed": _ours(Fault.LOCAL, "the proxy on our side did not connect us"),
    "proxy_no_way": _unclear("the proxy on our side could not reach the host", network=True),
    "stalled": _says_nothing(Fault.LOCAL, "our own process stood still meanwhile, so this says nothing"),
}

GROUPS: Mapping[str, Mapping[str, ErrorClass]] = MappingProxyType(
    {
        "Names": NAMES,
        "Connections": CONNECTIONS,
        "TLS": HANDSHAKES,
        "The answer itself": ANSWERS,
        "Statuses, and what bodies say of them": STATUSES,
        "What a check expects": CONTENTS,
        "Models": MODELS,
        "Heartbeats": HEARTBEATS,
        "Our side": OUR_SIDE,
    }
)
ERROR_CLASSES: Mapping[str, ErrorClass] = MappingProxyType(
    {name: row for rows in GROUPS.values() for name, row in rows.items()}
)


def may_open(error: str | None) -> bool:
    """Whether failures of this class may open an incident. True for None and for unknown classes (older samples)."""
    row = ERROR_CLASSES.get(error or "")
    return row is None or row.may_open


def may_flip(error: str | None) -> bool:
    """Whether failures of this class may switch a flag. True for None (a slow answer) and for unknown classes."""
    row = ERROR_CLASSES.get(error or "")
    return row is None or row.may_flip


def network(error: str | None) -> bool:
    """Whether our own network could have caused this failure."""
    row = ERROR_CLASSES.get(error or "")
    return row is not None and row.network


def reported(error: str | None) -> bool:
    """Whether the provider's own front end reported the failure; False for unknown classes (older samples)."""
    row = ERROR_CLASSES.get(error or "")
    return row is not None and row.reported
