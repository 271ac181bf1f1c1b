"""The reference documents every key, its examples load, and the schema accepts what the loader accepts."""

import re
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest
from pydantic import BaseModel, SecretStr

from bot.config.checks.http import Expect
from bot.config.checks.kinds import CHECK_MODELS
from bot.config.checks.llm import LlmBudget, LlmExpect
from bot.config.detection import (
    BurnWindowConfig,
    ClusterConfig,
    DetectionConfig,
    MaintenanceConfig,
    MutesConfig,
    OutcomesConfig,
    PeerConfig,
    SamplesConfig,
)
from bot.config.flags import FallbackConfig, FlagConfig, HandBack
from bot.config.incidents import BroadcastConfig, ComponentOpenOn, IncidentsConfig, OpenOn, Runbook, UpdateEvery
from bot.config.load import load
from bot.config.models import (
    Component,
    Config,
    FlagTokenConfig,
    PeopleConfig,
    Provider,
    ServerConfig,
    SlackConfig,
    StatusPage,
)
from bot.config.paging import JsmConfig, OnCallConfig, PagerDutyConfig, PageStepConfig, PagingConfig, QuietConfig, RotaConfig
from bot.config.pending import PENDING
from bot.config.presets import preset_names
from bot.config.reading.errors import Report
from bot.config.reading.lines import parse
from bot.config.reading.tree import plain
from bot.config.rehearsals import Price, Rehearse
from bot.config.scalars import show
from bot.config.schema import schema
from bot.config.sinks.models import SINK_MODELS

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
EXAMPLE = (ROOT / "examples" / "understudy.yaml").read_text(encoding="utf-8")

SECTIONS: dict[str, type[BaseModel]] = {
    "The file": Config,
    "slack": SlackConfig,
    "server": ServerConfig,
    "people": PeopleConfig,
    "on_call": OnCallConfig,
    "rota": RotaConfig,
    "pagerduty": PagerDutyConfig,
    "jsm": JsmConfig,
    "paging": PagingConfig,
    "Steps of paging": PageStepConfig,
    "paging.quiet": QuietConfig,
    "providers": Provider,
    "Components": Component,
    "open_on of a component": ComponentOpenOn,
    "status_page": StatusPage,
    "expect": Expect,
    "expect of an inference": LlmExpect,
    "budget": LlmBudget,
    "detection": DetectionConfig,
    "maintenance": MaintenanceConfig,
    "mutes": MutesConfig,
    "peers": PeerConfig,
    "cluster": ClusterConfig,
    "samples": SamplesConfig,
    "outcomes": OutcomesConfig,
    "fast and slow": BurnWindowConfig,
    "flags": FlagConfig,
    "fallbacks": FallbackConfig,
    "hand_back": HandBack,
    "rehearse": Rehearse,
    "prices": Price,
    "incidents": IncidentsConfig,
    "incidents.open_on": OpenOn,
    "update_every": UpdateEvery,
    "broadcast": BroadcastConfig,
    "runbooks": Runbook,
    "server.flag_tokens": FlagTokenConfig,
    **{f"Sinks of type {name}": model for name, model in SINK_MODELS.items()},
    **{f"Checks of type {name}": model for name, model in CHECK_MODELS.items()},
}


def section(title: str) -> str:
    """The text below a heading, up to the next one."""
    match = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", REFERENCE, re.DOTALL | re.MULTILINE)
    assert match is not None, f"docs/configuration.md has no heading {title!r}"
    return match[1]


def documented_default(value: object) -> str | None:
    """How the reference writes a default; None where it has words of its own for it."""
    match value:
        case timedelta():
            return f"`{show(value)}`"
        case bool():
            return f"`{str(value).lower()}`"
        case tuple():
            return f"`[{', '.join(map(str, value))}]`"
        case SecretStr() | "":
            return "empty"
        case 2_000_000_000:
            return "`2GB`"
        case str() | int() | float():
            return f"`{value}`"
        case _:
            return None


@pytest.mark.parametrize("title", SECTIONS)
def test_every_key_is_documented_with_default_and_meaning(title: str) -> None:
    """A key, its default and its description stand in one row of its section."""
    text = section(title)
    for name, field in SECTIONS[title].model_fields.items():
        key = field.alias or name
        row = next((line for line in text.splitlines() if line.startswith(f"| `{key}` |")), None)
        assert row is not None, f"docs/configuration.md does not document `{key}` under {title!r}"
        assert field.description, f"{title}: {key} has no description"
        assert f" {field.description} |" in row, (
            f"docs/configuration.md describes `{key}` under {title!r} otherwise than the model"
        )
        expected = "required" if field.is_required() else documented_default(field.default)
        assert expected is None or f"| {expected} |" in row, f"docs/configuration.md: the default of `{key}` is {expected}"


def test_no_key_is_documented_that_does_not_exist() -> None:
    """A key that was removed leaves the reference too."""
    for title, model in SECTIONS.items():
        keys = set(re.findall(r"^\| `([\w]+)` \|", section(title), re.MULTILINE))
        assert {field.alias or name for name, field in model.model_fields.items()} == keys, title


def test_every_model_has_its_section() -> None:
    """A model that is added to the configuration needs a section."""
    named = {name for name, part in schema()["$defs"].items() if part.get("type") == "object"}
    assert {model.__name__ for model in SECTIONS.values()} - {"Config"} == named


def test_presets_and_pending_features_are_documented() -> None:
    """Whoever reads the reference learns every preset and everything that is for later."""
    assert all(f"`{name}`" in section("providers") for name in preset_names())
    later = section("What is accepted but not available yet")
    for matcher in PENDING:
        word = matcher.path.rpartition("/")[2]
        assert matcher.path.endswith("dialect") or f"`{word}`" in later or f"{word}: " in later or "slack.mode" in later, (
            matcher
        )


def complaints(text: str) -> list[str]:
    """What an editor that knows the schema underlines."""
    return [error.message for error in jsonschema.Draft202012Validator(schema()).iter_errors(_plain(text))]


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", REFERENCE, re.DOTALL))
def test_example_in_the_reference_loads(tmp_path: Path, block: str) -> None:
    """What people copy from the reference works, and an editor's schema says so too."""
    path = tmp_path / "understudy.yaml"
    path.write_text(block, encoding="utf-8")

    assert isinstance(load(path, {}, lenient_credentials=True).config, Config)
    assert [] == complaints(block)


def test_schema_is_valid_and_accepts_the_example() -> None:
    """Editors complete and check the example without a complaint."""
    jsonschema.Draft202012Validator.check_schema(schema())

    assert [] == complaints(EXAMPLE)


@pytest.mark.parametrize(
    "text",
    [
        "flgas: {}",
        "detection: {window: many}",
        "incidents: {open_on: {down: SEV5}}",
        "incidents: {private: yes}",
        "providers: {p: {components: {c: {checks: [{type: http}]}}}}",
        "providers: {p: {components: {c: {checks: [{type: http, url: 'https://a', every: 30}]}}}}",
        "providers: {p: {components: {c: {checks: [{type: nothing}]}}}}",
        "flags: {Chat: {default: a, variants: {a: 1}}}",
    ],
)
def test_schema_refuses_what_the_loader_refuses(text: str) -> None:
    """An editor marks the same mistakes."""
    assert list(jsonschema.Draft202012Validator(schema()).iter_errors(_plain(text)))


def test_schema_describes_every_key() -> None:
    """Hovering over a key in an editor says what it means."""
    definitions = schema()["$defs"]
    for part in (schema(), *definitions.values()):
        for key, value in part.get("properties", {}).items():
            meant = definitions[value["$ref"].rpartition("/")[2]] if "$ref" in value else {}
            assert "description" in value or "description" in meant, f"{part.get('title')}.{key}"


def _plain(text: str) -> object:
    node = parse(text, Report("text"))
    assert node is not None
    return plain(node)
