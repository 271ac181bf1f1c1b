"""The demo's configuration: a file like anybody's, written for the addresses of this run and read by the real loader."""

from pathlib import Path

import yaml

from bot.sandbox.slack import LocalWorkspace
from bot.sandbox.vendor import Vendors

FLAG = "support-chat.llm"
DEMO_KEY = "demo-key-not-a-secret"


def write_settings(path: Path, workspace: LocalWorkspace, vendors: Vendors, listen: str, automation: str) -> None:
    """Write understudy.yaml for this run."""
    claude, page = vendors.url("anthropic", "api"), vendors.status_url("anthropic")
    listed = vendors.scenario.providers["anthropic"].listed
    settings = {
        "slack": {
            "bot_token": workspace.bot_token,
            "app_token": workspace.app_token,
            "api_url": workspace.api_url,
            "alerts_channel": "#ops",
            "invite": [workspace.person("bob").id],
        },
        "server": {"listen": listen},
        "allow_private": ["127.0.0.0/8"],
        "providers": {
            "anthropic": {
                "name": "Claude",
                "components": {
                    "api": {
                        "name": "Claude API",
                        "checks": [
                            _http("models", f"{claude}/v1/models", headers=_anthropic_headers()),
                            _http("message", f"{claude}/v1/messages", headers=_anthropic_headers(), json=_MESSAGE),
                        ],
                    },
                    "web": {"name": "claude.ai", "checks": [_http("front", vendors.url("anthropic", "web"))]},
                    "mobile": {"name": "Claude mobile", "checks": [_http("front", vendors.url("anthropic", "mobile"))]},
                },
                "status_page": {
                    "dialect": "statuspage",
                    "urls": [page],
                    "every": "60s",
                    "components": {key: listed[key].id for key in ("api", "web", "mobile")},
                },
            },
            "openai": {
                "name": "OpenAI",
                "components": {
                    "api": {
                        "name": "OpenAI API",
                        "checks": [
                            _http(
                                "models", f"{vendors.url('openai', 'api')}/v1/models",
                                headers={"authorization": f"Bearer {DEMO_KEY}"},
                            )
                        ],
                    }
                },
            },
        },
        "flags": {FLAG: _flag(automation)},
        "incidents": {"resolve": "ask", "resolve_after": "10m"},
        "runbooks": {
            "anthropic.api": {"steps": ["Confirm on the board", "Tell support", "Check the fallback's quota"]},
        },
    }  # fmt: skip
    path.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")


_MESSAGE = {"model": "claude-haiku-4-5", "max_tokens": 1, "messages": [{"role": "user", "content": "ping"}]}


def _anthropic_headers() -> dict[str, str]:
    return {"x-api-key": DEMO_KEY, "anthropic-version": "2023-06-01"}


def _http(name: str, url: str, **more: object) -> dict[str, object]:
    method = {"method": "POST"} if "json" in more else {}
    return {
        "name": name, "type": "http", "url": url, **method, **more,
        # At two hundred times the speed of life, thirty seconds are 150 ms on this machine.
        "every": "30s", "deadline": "30s", "expect": {"status": 200},
    }  # fmt: skip


def _flag(automation: str) -> dict[str, object]:
    return {
        "description": "Which provider answers the support chat",
        "variants": {
            "claude": {"provider": "anthropic", "model": "claude-haiku-4-5"},
            "gpt": {"provider": "openai", "model": "gpt-5"},
            "cached": {"mode": "cache_only"},
        },
        "default": "claude",
        "fallbacks": [{"variant": "gpt", "needs": "openai.api"}, {"variant": "cached"}],
        "depends_on": ["anthropic.api"],
        "automation": automation,
        "hand_back": {"steps": [10, 25, 50, 100], "hold": "5m", "first_step": "ask"},
    }
