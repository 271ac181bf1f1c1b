"""What providers write when they refuse, as data: words, statuses and phrases, with the class of each.

Sources: the error pages and SDKs of Anthropic, OpenAI, Azure OpenAI, Gemini and Amazon Bedrock. Words are compared in lower
case, without namespace and without the suffix `Exception`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from bot.core.lazy_dataclass import dataclass

# These decide the class whatever the status is, since providers send overload as 429, 503 or 529 and spent credit as 400, 402
# or 429. Of several, the first class in this table counts.
STRONG_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "spend_limit": (
            "insufficient_quota", "billing_error", "enforced_spend_limit_reached", "credit_balance_exhausted",
            "organization_spend_limit_exceeded", "project_spend_limit_exceeded", "organization_usage_limit_exceeded",
            "billing_hard_limit_reached", "billing_not_active",
        ),
        "overloaded": ("overloaded_error", "server_is_overloaded", "slow_down"),
        "capacity": ("modelnotready",),
        "auth": (
            "authentication_error", "permission_error", "invalid_api_key", "api_key_invalid", "permission_denied",
            "unauthenticated", "permissiondenied", "accessdenied", "unrecognizedclient", "expiredtoken", "invalidsignature",
            "missingauthenticationtoken", "invalidclienttokenid", "incompletesignature",
        ),
        "not_found": ("model_not_found", "deploymentnotfound"),
        "model_error": ("modelerror", "modelstreamerror"),
        "rate_limited": (
            "rate_limit_error", "rate_limit_exceeded", "resource_exhausted", "throttling", "toomanyrequests",
            "servicequotaexceeded",
        ),
    }
)  # fmt: skip
# These only repeat a status; they count if there is no meaningful one: inside a stream that began with 200.
WEAK_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "not_found": ("not_found_error", "not_found", "resourcenotfound"),
        "bad_request": (
            "invalid_request_error", "invalid_argument", "failed_precondition", "out_of_range", "validation",
            "request_too_large",
        ),
        "vendor_timeout": ("timeout_error", "deadline_exceeded", "modeltimeout"),
        "stream_error": (
            "api_error", "server_error", "internal_error", "internal", "internalfailure", "internalserver", "unavailable",
            "service_unavailable_error", "serviceunavailable",
        ),
    }
)  # fmt: skip


@dataclass(frozen=True)
class Phrase:
    """Words in a message for people that identify a class when nothing else does; None means any."""

    words: str
    error: str
    statuses: frozenset[int] | None = None
    dialect: str | None = None


_LIMITS = frozenset({400, 429})
PHRASES = (
    Phrase("credit balance is too low", "spend_limit", _LIMITS),
    Phrase("credits are depleted", "spend_limit", _LIMITS),
    Phrase("api usage limits", "spend_limit", _LIMITS),  # Anthropic's 400 for a limit set by the customer
    Phrase("is overloaded", "overloaded", frozenset({429, 500, 503})),
    Phrase("currently overloaded", "overloaded", frozenset({429, 500, 503})),
    Phrase("high demand", "capacity", frozenset({429, 503})),
    Phrase("at capacity", "capacity", frozenset({429, 503})),
    Phrase("temporar", "capacity", frozenset({429}), "azure"),  # Azure lowers a limit for a while; we did not exceed ours
    Phrase("api key not valid", "auth", frozenset({400})),
    Phrase("rate limit is exceeded", "rate_limited", frozenset({429})),
)

STATUS_CLASSES: Mapping[int, str] = MappingProxyType(
    {
        400: "bad_request",
        401: "auth",
        402: "spend_limit",
        403: "auth",
        404: "not_found",
        405: "bad_request",
        407: "proxy",
        408: "vendor_timeout",
        410: "not_found",
        413: "bad_request",
        415: "bad_request",
        422: "bad_request",
        424: "model_error",
        429: "rate_limited",
        502: "gateway",
        504: "gateway",
        520: "gateway",
        521: "gateway",
        522: "gateway",
        523: "gateway",
        524: "gateway",
        529: "overloaded",
    }
)

CHALLENGE_HEADERS = ("cf-mitigated", "x-amzn-waf-action")  # in these, Cloudflare and AWS WAF say `challenge` or `captcha`
CHALLENGE_STATUSES = frozenset({403, 405})  # with a page: an API would explain itself in JSON
CHALLENGE_MARKS = (b"just a moment", b"challenge-platform", b"cf-chl", b"awswaf", b"captcha")


def by_word(table: Mapping[str, tuple[str, ...]]) -> Mapping[str, str]:
    """The inverted table: the class of each word, in the table's order of precedence."""
    return MappingProxyType({word: error for error, words in table.items() for word in words})
