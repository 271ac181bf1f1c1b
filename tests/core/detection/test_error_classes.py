"""The table of error classes is complete and consistent."""

import pytest

from bot.checks.judging.vendor_words import PHRASES, STATUS_CLASSES, STRONG_WORDS, WEAK_WORDS, by_word
from bot.core.detection.error_classes import ERROR_CLASSES, GROUPS, ErrorClass, may_flip, may_open, network
from bot.core.model import Fault, Outcome


@pytest.mark.parametrize("name", ERROR_CLASSES)
def test_each_class_is_consistent(name: str) -> None:
    """It has a reason; our own faults never open an incident; inconclusive classes have no consequence."""
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


def test_groups_of_classes_do_not_overlap() -> None:
    """Each class is in one group."""
    assert len(ERROR_CLASSES) == sum(len(rows) for rows in GROUPS.values())


def test_exhausted_quota_moves_flags_but_opens_no_incident() -> None:
    """It stops our service like an outage, but the provider is well."""
    quota = {name for name, row in ERROR_CLASSES.items() if row.fault is Fault.OURS_QUOTA and row.outcome is Outcome.FAIL}
    assert {"rate_limited", "spend_limit"} == quota
    assert all(may_flip(name) and not may_open(name) for name in quota)


def test_unknown_classes_count_as_the_providers() -> None:
    """From samples of older versions, and slow answers without a class."""
    assert may_open(None)
    assert may_flip(None)
    assert not network(None)
    assert may_open("gone_class")
    assert may_flip("gone_class")
    assert not network("gone_class")


def test_classes_that_our_network_can_cause_are_marked() -> None:
    """They say nothing about a provider until the controls were asked; answers of the provider are not among them."""
    assert all(
        network(name) for name in ("dns", "connect_timeout", "connect_refused", "unreachable", "tls", "reset", "deadline")
    )
    assert not any(network(name) for name in ("http_5xx", "overloaded", "rate_limited", "truncated", "wrong_answer"))


def test_tables_of_provider_errors_name_existing_classes() -> None:
    """And list each word once."""
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
def test_consequences_of_a_class_follow_from_its_fault(name: str, row: ErrorClass) -> None:
    """Theirs and unclear may open and switch; ours switches only if marked; inconclusive does nothing."""
    assert row == ERROR_CLASSES[name]
