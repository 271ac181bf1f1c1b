"""The demo's configuration: an ordinary file, written for this run's addresses and read by the real loader."""

from pathlib import Path
from urllib.parse import urlsplit

import yaml

from bot.core.ids import CheckId
from bot.sandbox.slack import LocalWorkspace
from bot.sandbox.vendor import Vendors

FLAG = "support-chat.llm"
YOU = "sam"  # the person who has the page open
DEMO_KEY = "demo-key-not-a-secret"
ALIVE_ID = "ours.chat.alive"  # the downstream service's heartbeat
OUTCOME_TOKEN = "demo-outcomes-not-a-secret"  # noqa: S105 # as it says
ALIVE_TOKEN = "demo-heartbeat-not-a-secret"  # noqa: S105 # as it says


def write_settings(
    path: Path, workspace: LocalWorkspace, vendors: Vendors, listen: str, automation: str, *,
    store: str = "", public_url: str = "",
) -> None:  # fmt: skip
    """Write understudy.yaml for this run. `store` is the replicas' shared ledger, `public_url` their common address."""
    settings = {
        **({"store": store} if store else {}),
        "slack": {
            "bot_token": workspace.bot_token,
            "app_token": workspace.app_token,
            "api_url": workspace.api_url,
            "alerts_channel": "#ops",
            "invite": [workspace.person(YOU).id],
        },
        "server": {
            "listen": listen,
            **({"public_url": public_url} if public_url else {}),
            "open_to_loopback": True,
            "outcome_tokens": [OUTCOME_TOKEN],
        },  # everything runs on this machine, without a proxy
        "allow_private": ["127.0.0.0/8"],
        "providers": {"anthropic": _anthropic(vendors), "openai": _openai(vendors), "ours": _ours()},
        "control_group": [_tcp("slack", workspace.api_url), _tcp("elsewhere", vendors.status_url("openai"))],
        "flags": {FLAG: _flag(automation)},
        "detection": {"slow_floor": SLOW_FROM},
        "incidents": {"resolve": "ask", "resolve_after": "10m"},
        "runbooks": {
            "anthropic.api": {"steps": ["Confirm on the board", "Tell support", "Check the fallback's quota"]},
        },
    }
    path.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")


def _anthropic(vendors: Vendors) -> dict[str, object]:
    claude, listed = vendors.url("anthropic", "api"), vendors.scenario.providers["anthropic"].listed
    headers = {"x-api-key": DEMO_KEY, "anthropic-version": "2023-06-01"}
    return {
        "name": "Claude",
        "components": {
            "api": {
                "name": "Claude API",
                "checks": [
                    _http("models", f"{claude}/v1/models", headers=headers),
                    _llm("answer", "anthropic", claude, ["claude-haiku-4-5", "claude-sonnet-4-5"]),
                ],
            },
            "web": {"name": "claude.ai", "checks": [_http("front", vendors.url("anthropic", "web"))]},
            "mobile": {"name": "Claude mobile", "checks": [_http("front", vendors.url("anthropic", "mobile"))]},
        },
        "status_page": {
            "dialect": "statuspage",
            "urls": [vendors.status_url("anthropic")],
            "every": "60s",
            "components": {key: listed[key].id for key in ("api", "web", "mobile")},
        },
    }


def _openai(vendors: Vendors) -> dict[str, object]:
    gpt = vendors.url("openai", "api")
    headers = {"authorization": f"Bearer {DEMO_KEY}"}
    checks = [_http("models", f"{gpt}/v1/models", headers=headers), _llm("answer", "openai", gpt, ["gpt-5", "gpt-5-mini"])]
    return {"name": "OpenAI", "components": {"api": {"name": "OpenAI API", "checks": checks}}}


def _ours() -> dict[str, object]:
    """The downstream service reports its own heartbeats."""
    alive = {"name": CheckId(ALIVE_ID).name, "type": "heartbeat", "every": "5m", "grace": "10m", "token": ALIVE_TOKEN}
    return {"name": "Our own", "components": {"chat": {"name": "Support chat", "checks": [alive]}}}


# At two hundred times real speed, thirty seconds are 150 ms: a busy machine needs all of them.
DEADLINE = "30s"
SLOW_FROM = "10s"  # likewise 50 ms, since a browser on the same machine may delay the bot


def _http(name: str, url: str, **more: object) -> dict[str, object]:
    return {"name": name, "type": "http", "url": url, **more, "every": "30s", "deadline": DEADLINE, "expect": {"status": 200}}


def _llm(name: str, dialect: str, url: str, models: list[str]) -> dict[str, object]:
    return {
        "name": name, "type": "llm", "dialect": dialect, "url": url, "models": models, "api_key": DEMO_KEY,
        "every": "60s", "deadline": DEADLINE,
    }  # fmt: skip


def _tcp(name: str, url: str) -> dict[str, object]:
    place = urlsplit(url)
    return {"name": name, "type": "tcp", "host": place.hostname, "port": place.port, "every": "30s", "deadline": DEADLINE}


def _flag(automation: str) -> dict[str, object]:
    return {
        "description": "Which provider answers the support chat",
        "variants": {
            "claude": {"provider": "anthropic", "model": "claude-haiku-4-5"},
            "gpt": {"provider": "openai", "model": "gpt-5"},
            "cached": {"mode": "cache_only"},
        },
        "aliases": {"claude": "Claude", "gpt": "GPT", "cached": "cached answers"},
        "default": "claude",
        "fallbacks": [{"variant": "gpt", "needs": "openai.api"}, {"variant": "cached"}],
        "depends_on": ["anthropic.api"],
        "automation": automation,
        "hand_back": {"steps": [10, 25, 50, 100], "hold": "5m", "first_step": "ask"},
    }
