"""The table of error classes: complete, and at one with itself."""

import pytest

from bot.checks.judging.vendor_words import PHRASES, STATUS_CLASSES, STRONG_WORDS, WEAK_WORDS, by_word
from bot.core.detection.error_classes import ERROR_CLASSES, GROUPS, ErrorClass, may_flip, may_open, network
from bot.core.model import Fault, Outcome


@pytest.mark.parametrize("name", ERROR_CLASSES)
def test_class_is_at_one_with_itself_when_it_is_listed(name: str) -> None:
    """A reason can be made of it; what is ours never opens an incident; what says nothing has no consequence at all."""
    row = ERROR_CLASSES[name]
    assert row.sentence
    assert row.sentence[0].islower()
    assert row.fault is not Fault.NONE
    assert row.outcome is not Outcome.OK
    assert not (row.fault.ours and row.may_open)
    assert not (row.may_flip and row.fault in (Fault.OURS_KEY, Fault.OURS_CONFIG, Fault.LOCAL))
    if row.outcome is Outcome.INCONCLUSIVE:
        assert not row.may_open
        assert not row.may_flip
        assert row.fault is not Fault.THEIRS


def test_classes_are_sorted_apart_when_groups_are_put_together() -> None:
    """A class stands in one group only."""
    assert len(ERROR_CLASSES) == sum(len(rows) for rows in GROUPS.values())


def test_quota_moves_flags_and_opens_nothing() -> None:
    """A spent quota stops our service as an outage would, and the provider is well."""
    quota = {name for name, row in ERROR_CLASSES.items() if row.fault is Fault.OURS_QUOTA and row.outcome is Outcome.FAIL}
    assert {"rate_limited", "spend_limit"} == quota
    assert all(may_flip(name) and not may_open(name) for name in quota)


def test_unknown_words_may_do_what_theirs_may() -> None:
    """Samples of an older version, and slow answers without a class, keep their say."""
    assert may_open(None)
    assert may_flip(None)
    assert not network(None)
    assert may_open("gone_class")
    assert may_flip("gone_class")
    assert not network("gone_class")


def test_our_own_network_is_marked_when_it_can_look_like_an_outage() -> None:
    """Until the control group has spoken, these say nothing of a provider; an answer of the provider's own does."""
    assert all(
        network(name) for name in ("dns", "connect_timeout", "connect_refused", "unreachable", "tls", "reset", "deadline")
    )
    assert not any(network(name) for name in ("http_5xx", "overloaded", "rate_limited", "truncated", "wrong_answer"))


def test_every_class_that_words_lead_to_exists() -> None:
    """Tables of providers' words name classes of the taxonomy, and each word once."""
    named = {*STRONG_WORDS, *WEAK_WORDS, *STATUS_CLASSES.values(), *(phrase.error for phrase in PHRASES)}
    assert set() == named - set(ERROR_CLASSES)
    words = [word for table in (STRONG_WORDS, WEAK_WORDS) for words in table.values() for word in words]
    assert len(set(words)) == len(words)
    assert words == [word.lower() for word in words]
    assert all(phrase.error in STRONG_WORDS for phrase in PHRASES)
    assert len(by_word(STRONG_WORDS)) + len(by_word(WEAK_WORDS)) == len(words)


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("protocol", ErrorClass(Fault.THEIRS, "what came back was not HTTP", may_open=True, may_flip=True)),
        ("reset", ErrorClass(
            Fault.THEIRS, "the connection was reset before an answer came", may_open=True, may_flip=True, network=True
        )),
        ("not_json", ErrorClass(Fault.UNCLEAR, "the body is not JSON", may_open=True, may_flip=True)),
        ("dns_timeout", ErrorClass(Fault.UNCLEAR, "no resolver answered", may_open=True, may_flip=True, network=True)),
        ("auth", ErrorClass(Fault.OURS_KEY, "our key was not accepted")),
        ("rate_limited", ErrorClass(Fault.OURS_QUOTA, "we are over our rate limit", may_flip=True)),
        ("local", ErrorClass(Fault.LOCAL, "this machine could not open a connection", Outcome.INCONCLUSIVE)),
        ("challenge", ErrorClass(
            Fault.UNCLEAR, "bot protection answered, so this says nothing", Outcome.INCONCLUSIVE, network=True
        )),
    ],
)  # fmt: skip
def test_a_class_is_whole_whoever_is_to_blame(name: str, row: ErrorClass) -> None:
    """Theirs and unclear may open and move; ours moves only where it says so; what says nothing does nothing."""
    assert row == ERROR_CLASSES[name]
