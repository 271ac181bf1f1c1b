"""How often the checks of a preset run."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.config.load import load

SLACK = """
slack: {bot_token: xoxb-1, app_token: xapp-1, alerts_channel: ops}
providers:
  anthropic: {preset: anthropic, api_key: sk-1}
  openai: {preset: openai, api_key: sk-2}
"""
FLAG = """
flags:
  support.llm:
    variants: {claude: claude, gpt: gpt}
    default: claude
"""


def every(folder: Path, config: str, provider: str, component: str = "api") -> dict[str, int]:
    """The interval of each check of a component, in seconds."""
    path = folder / "understudy.yaml"
    path.write_text(config)
    checks = load(path, {}).config.providers[provider].components[component].checks
    return {str(check.name): check.every // timedelta(seconds=1) for check in checks}


@pytest.mark.parametrize(
    "depends", ["    depends_on: [openai.api]\n", "    fallbacks: [{variant: gpt, needs: openai.api}]\n"]
)  # fmt: skip
def test_a_component_that_a_flag_depends_on_is_looked_at_every_15_s(tmp_path: Path, depends: str) -> None:
    """For the default variant and for a fallback; inference as well, which is what the flag is about."""
    assert {"inference": 15, "models": 15} == every(tmp_path, SLACK + FLAG + depends, "openai")


@pytest.mark.parametrize("preset", ["anthropic", "openai", "gemini"])
def test_a_day_of_inference_every_15_s_fits_its_budget(tmp_path: Path, preset: str) -> None:
    """With a fifth of quick looks; a check that spent its budget by the evening would not see the outage of the night."""
    path = tmp_path / "understudy.yaml"
    flag = FLAG + f"    depends_on: [{preset}.api]\n"
    path.write_text(SLACK + "  gemini: {preset: gemini, api_key: sk-3}\n" + flag)
    checks = load(path, {}).config.providers[preset].components["api"].checks
    inference = next(check for check in checks if check.name == "inference")

    assert inference.budget.calls_per_day >= 1.2 * (timedelta(days=1) / inference.every)


def test_what_no_flag_depends_on_keeps_its_interval(tmp_path: Path) -> None:
    """Another provider, and another component of the same one."""
    config = SLACK + FLAG + "    depends_on: [openai.api]\n"

    assert {"inference": 60, "models": 30} == every(tmp_path, config, "anthropic")
    assert {"front": 60} == every(tmp_path, config, "openai", "web")


def test_an_explicit_interval_wins(tmp_path: Path) -> None:
    """Checks of one's own are taken as they are."""
    own = "{checks: [{name: models, type: http, url: https://api.openai.com/v1/models, every: 45s}]}"
    config = SLACK.replace("api_key: sk-2", f"components: {{api: {own}}}") + FLAG + "    depends_on: [openai.api]\n"

    assert {"models": 45} == every(tmp_path, config, "openai")
