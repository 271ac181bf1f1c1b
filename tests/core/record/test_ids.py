"""Ids are read in one place, whoever asks; and the configuration has the same words as the core."""

import json
from typing import get_args

import pytest

from bot.config.flags import FlagConfig, HandBack
from bot.config.incidents import IncidentsConfig
from bot.core.ids import CheckId, ComponentId
from bot.core.model import Actor, ActorKind, Severity
from bot.core.policy import Automation, FirstStep, OnExpiry, ResolveMode


def test_a_component_names_its_provider() -> None:
    """`anthropic.api` is Anthropic's."""
    id = ComponentId("anthropic.api")

    assert "anthropic" == id.provider
    assert "api" == id.name


@pytest.mark.parametrize(
    ("id", "provider", "component", "name"),
    [
        ("anthropic.api.answer", "anthropic", "anthropic.api", "answer"),
        ("anthropic.api.models.v2", "anthropic", "anthropic.api", "models.v2"),
        ("control.cloudflare", "control", "control.cloudflare", "cloudflare"),
    ],
)
def test_a_check_names_its_component(id: str, provider: str, component: str, name: str) -> None:
    """Its own name is what is left; a control has no component of its own."""
    check = CheckId(id)

    assert provider == check.provider
    assert component == check.component
    assert name == check.name


def test_an_id_is_written_as_it_was() -> None:
    """In the ledger and over the API it is text like any other."""
    assert '["anthropic.api"]' == json.dumps([ComponentId("anthropic.api")])


@pytest.mark.parametrize("worse", Severity)
@pytest.mark.parametrize("than", Severity)
def test_a_severity_is_worse_than_those_of_a_higher_number(worse: Severity, than: Severity) -> None:
    """SEV1 is the worst; nothing is worse than itself."""
    assert (int(worse[-1]) < int(than[-1])) == worse.is_worse_than(than)


def test_a_kind_of_actor_of_another_version_reads_as_one_without_rights() -> None:
    """A ledger that a newer bot wrote opens, and grants nothing."""
    assert ActorKind.OUTSIDER is ActorKind("bot-of-2030")
    assert {"person", "operator", "rule", "vendor", "outsider"} == {kind.value for kind in ActorKind}
    assert "rule" == Actor.rule("x").kind


@pytest.mark.parametrize(
    ("words", "known"),
    [
        (FlagConfig.model_fields["automation"].annotation, Automation),
        (FlagConfig.model_fields["on_expiry"].annotation, OnExpiry),
        (HandBack.model_fields["first_step"].annotation, FirstStep),
        (IncidentsConfig.model_fields["resolve"].annotation, ResolveMode),
    ],
    ids=["automation", "on_expiry", "first_step", "resolve"],
)
def test_the_configuration_takes_exactly_the_words_that_decisions_know(words: object, known: type) -> None:
    """A word that one of them lacks would end the start with a traceback, or never be reached."""
    assert set(get_args(words)) == {one.value for one in known}  # type: ignore[var-annotated, attr-defined]
