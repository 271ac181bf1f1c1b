"""Writes a first configuration file from what somebody uses. Pure."""

import ipaddress
import json
import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from bot.core.lazy_dataclass import dataclass

KEYS = {"anthropic": "ANTHROPIC_API_KEY", "openai": "OPENAI_API_KEY", "gemini": "GEMINI_API_KEY"}
MODELS = {"anthropic": "claude-sonnet-4-5", "openai": "gpt-5", "gemini": "gemini-2.5-pro"}
SPOKEN = {"anthropic": "claude", "openai": "gpt", "gemini": "gemini"}  # the flag's variants

HEAD = """# Configuration of Understudy, written by `understudy init`. docs/configuration.md explains every key, and
# `understudy config check` says what is wrong with it. ${VAR} is taken from the environment; :- means that it may be missing.
"""


@dataclass(frozen=True)
class FirstFileOptions:
    """What somebody uses: presets, further addresses, where alerts go, and fallbacks.

    `slack` is socket, http or none; `service` names the first flag, empty for none.
    """

    presets: tuple[str, ...]
    urls: tuple[str, ...]
    slack: str
    channel: str
    public_url: str
    service: str

    @property
    def models(self) -> tuple[str, ...]:
        """The presets that answer prompts, which a flag can choose from."""
        return tuple(preset for preset in self.presets if preset in KEYS)

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables to set, in the order of the file."""
        tokens = {"socket": ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"), "http": ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET")}
        return (*tokens.get(self.slack, ()), "UNDERSTUDY_READ_TOKEN", *(KEYS[preset] for preset in self.models))


def first_file(wanted: FirstFileOptions) -> str:
    """The text of the file. It contains no secret, only names of variables."""
    parts = [_slack(wanted), _server(wanted), _STORE, _providers(wanted), _CONTROLS, *_flags(wanted), _REST]
    return HEAD + "".join(parts)


def own_providers(urls: Sequence[str], taken: Collection[str] = ()) -> dict[str, list[str]]:
    """The addresses by provider key: each host is a provider, so that it has its own incidents. No key is one of `taken`."""
    found: dict[str, list[str]] = {}
    for url in urls:
        key = re.sub(r"[^a-z0-9]+", "-", (urlsplit(url).hostname or "").lower()).strip("-") or "service"
        key = key if key[0].isalpha() else f"host-{key}"
        found.setdefault(f"our-{key}" if key in taken else key, []).append(url)
    return found


def _inside(urls: Sequence[str]) -> list[str]:
    """The networks to allow for addresses that are plainly not public."""
    found: list[str] = []
    for host in dict.fromkeys(urlsplit(url).hostname or "" for url in urls):
        if host == "localhost":
            found += ["127.0.0.0/8", "::1/128"]
            continue
        with suppress(ValueError):  # a name: only the check will know its address
            address = ipaddress.ip_address(host)
            found += [] if address.is_global else [str(ipaddress.ip_network(address))]
    return found


def _slack(wanted: FirstFileOptions) -> str:
    if wanted.slack == "none":
        return (
            "slack:\n  mode: none                            # it watches, serves flags, and tells the addresses of `notify`\n"
        )
    secret = "app_token: ${SLACK_APP_TOKEN}" if wanted.slack == "socket" else "signing_secret: ${SLACK_SIGNING_SECRET}"
    lines = (
        f"mode: {wanted.slack}", "bot_token: ${SLACK_BOT_TOKEN}", secret,
        f"alerts_channel: {_quoted(wanted.channel)}                # the bot joins it",
    )  # fmt: skip
    return "slack:\n" + "".join(f"  {line}\n" for line in lines)


def _server(wanted: FirstFileOptions) -> str:
    public = f"  public_url: {_quoted(wanted.public_url)}\n" if wanted.public_url else ""
    return f"server:\n  listen: 127.0.0.1:8080\n{public}{_READERS}"


def _providers(wanted: FirstFileOptions) -> str:
    lines = ["providers:"]
    for preset in wanted.presets:
        lines += [f"  {preset}:", f"    preset: {preset}"]
        if preset in KEYS:
            lines.append(f"    api_key: ${{{KEYS[preset]}:-}}")
    for key, urls in own_providers(wanted.urls, wanted.presets).items():
        lines += [f"  {key}:", f"    name: {_quoted(urlsplit(urls[0]).hostname or key)}", "    components:"]
        for number, url in enumerate(urls, start=1):
            parts = urlsplit(url)
            check = f"{{name: front, type: http, url: {_quoted(url)}, every: 30s, deadline: 10s, expect: {{status: 200}}}}"
            lines += [
                f"      front{f'-{number}' * (number > 1)}:",
                f"        name: {_quoted(f'{parts.hostname}{parts.path}' if len(urls) > 1 else parts.hostname or key)}",
                "        checks:",
                f"          - {check}",
            ]
    if networks := _inside(wanted.urls):
        lines.append(f"allow_private: [{', '.join(map(_quoted, networks))}]  # your own network: checks may go there")
    return "\n".join(lines) + "\n"


_READERS = """  read_tokens: ["${UNDERSTUDY_READ_TOKEN:-}"]        # services need it to read flags
"""
_STORE = """store: ${UNDERSTUDY_STORE:-}              # empty: SQLite in `data`; postgresql://user@host/name: replicas share it
"""
_CONTROLS = """control_group:                          # neutral targets: if none answers, our own network is at fault
  - {name: cloudflare, type: tcp, host: one.one.one.one, port: 443, every: 30s}
  - {name: google, type: tcp, host: dns.google, port: 443, every: 30s}
  - {name: names, type: dns, host: example.com, every: 30s}
"""


def _flags(wanted: FirstFileOptions) -> list[str]:
    """One flag: the first model is the default, the second its fallback, cached answers the last resort."""
    if not (wanted.service and wanted.models):
        return []
    first, *others = wanted.models
    variants = [f"{SPOKEN[one]}: {{provider: {one}, model: {MODELS[one]}}}" for one in wanted.models]
    fallbacks = [f"{{variant: {SPOKEN[one]}, needs: {one}.api}}" for one in others]
    return [
        f"flags:\n  {wanted.service}.llm:\n    description: Which provider answers {wanted.service}\n",
        f"    variants: {{{', '.join(variants)}, cached: {{mode: cache_only}}}}\n",
        f"    default: {SPOKEN[first]}\n    fallbacks: [{', '.join([*fallbacks, '{variant: cached}'])}]\n",
        f"    depends_on: [{first}.api]\n",
        "    automation: propose                 # off | propose (a button asks) | auto (switches by itself)\n",
    ]


_REST = """notify:                                 # for when Slack is down: apprise URLs such as mailto:// or pagerduty://
  - ${UNDERSTUDY_NOTIFY_URL:-}
"""


def _quoted(text: str) -> str:
    """Quoted for YAML, whatever it contains; JSON is YAML."""
    return json.dumps(text, ensure_ascii=False)
