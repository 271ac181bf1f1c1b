"""From a configuration file to what the watch does."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.checks.http import HttpCheck
from bot.config.load import Loaded, load
from bot.feeds.fetch import FeedSource
from bot.plan import plan, slack_login

CHECK = {"type": "http", "name": "front", "url": "https://example.com"}


def loaded(folder: Path, components: dict[str, Any], **more: Any) -> Loaded:
    path = folder / "understudy.yaml"
    made = {
        "slack": {"bot_token": "xoxb-1-1-a", "app_token": "xapp-1-A-b"},
        "providers": {"claude": {"components": components, **more}},
    }
    path.write_text(yaml.safe_dump(made), encoding="utf-8")
    return load(path, {})


def test_check_runs_as_it_is_written(tmp_path: Path) -> None:
    """Every setting of a check reaches the prober."""
    full = {
        **CHECK, "method": "POST", "headers": {"x-api-key": "k-1234"}, "json": {"ping": [1]}, "every": "30s", "deadline": "5s",
        "expect": {"status": [200, 204], "under": "2s", "contains": "ok"},
    }  # fmt: skip
    check = plan(loaded(tmp_path, {"api": {"checks": [full]}})).checks[0]

    assert isinstance(check, HttpCheck)
    assert ("claude.api.front", "claude.api", "POST") == (check.id, check.component, check.method)
    assert b'{"ping": [1]}' == check.body
    assert {"content-type": "application/json", "x-api-key": "k-1234"} == check.headers
    assert (timedelta(seconds=30), timedelta(seconds=5), timedelta(seconds=2)) == (check.every, check.deadline, check.under)
    assert "ok" == check.contains


def test_check_without_its_key_is_off_and_named(tmp_path: Path) -> None:
    """What an operator chose and what we cannot do yet are kept apart."""
    keyless = {**CHECK, "headers": {"x-api-key": ""}}
    made = plan(loaded(tmp_path, {"api": {"checks": [keyless]}, "web": {"checks": [CHECK]}, "bare": {}}))

    assert {"claude.api": ["front"], "claude.bare": []} == made.off
    assert {} == made.pending
    assert ["claude.web.front"] == [check.id for check in made.checks]


def test_check_of_a_kind_to_come_is_pending(tmp_path: Path) -> None:
    """It makes its component unknown, and the reason says that we are to blame."""
    coming = {"type": "dns", "name": "names", "host": "example.com"}
    made = plan(loaded(tmp_path, {"api": {"checks": [coming, CHECK]}}))

    assert {"claude.api": ["names"]} == made.pending
    assert ["claude.api.front"] == [check.id for check in made.checks]


@pytest.mark.parametrize(("known", "off"), [(["claude.api", "claude.gone"], {"claude.gone": []}), ([], {})])
def test_component_of_the_ledger_that_left_has_no_check(known: list[str], off: dict[str, list[str]], tmp_path: Path) -> None:
    """Its last verdict must not stand for ever."""
    assert off == plan(loaded(tmp_path, {"api": {"checks": [CHECK]}}), known).off


def test_page_is_read_for_the_components_that_it_lists(tmp_path: Path) -> None:
    """Our ids, theirs, and the address."""
    page = {"dialect": "statuspage", "urls": ["https://status.example.com/api/v2/summary.json"], "components": {"api": "k8w3"}}
    feeds = plan(loaded(tmp_path, {"api": {"checks": [CHECK]}}, status_page=page)).feeds

    assert all(isinstance(feed, FeedSource) for feed in feeds)
    assert [("claude", {"claude.api": "k8w3"})] == [(f.provider, f.components) for f in feeds if isinstance(f, FeedSource)]


def test_tokens_are_not_shown(tmp_path: Path) -> None:
    """A login in a log line or a traceback holds no token."""
    login = slack_login(loaded(tmp_path, {"api": {"checks": [CHECK]}}).config.slack)

    assert "xoxb" not in repr(login)
    assert "xapp" not in repr(login)
