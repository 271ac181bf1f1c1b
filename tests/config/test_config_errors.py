"""Every mistake in a file is named at once, with its line, its key and what to write instead."""

import os
from itertools import pairwise
from pathlib import Path

import pytest

from bot.config.load import load
from bot.config.reading.errors import ConfigErrors

# Every case is put below these lines, so that line 5 is the first line of the case.
HEAD = """\
slack:
  bot_token: xoxb-1
  app_token: xapp-1

"""
PROVIDER = """\
providers:
  anthropic:
    components:
      api:
        checks:
"""
FLAG = """\
providers: {anthropic: {components: {api: {checks: [{type: http, url: "https://a.example"}]}}}}
flags:
  chat:
    variants: {claude: {m: 1}, gpt: {m: 2}}
"""


def errors_of(path: Path, text: str, environ: dict[str, str] | None = None) -> list[tuple[int, str, str, str]]:
    """Line, key, message and remedy of every error that the text has."""
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigErrors) as caught:
        load(path, environ or {})
    return [(error.line, error.key, error.message, error.remedy) for error in caught.value.errors]


CHECKS = "providers.anthropic.components.api.checks"

TABLE = [
    # what is written below the head, line, key, part of the message, part of the remedy
    ("paging: {SEV1: [{after: 0s, mention: [primray]}]}", 5, "paging.SEV1[0].mention[0]", "nobody 'primray'", "U..."),
    ("paging: {SEV1: [{after: 0s, mention: [channel]}]}", 5, "paging.SEV1[0].mention[0]", "wakes everybody", "`here`"),
    ("paging: {SEV1: [{after: 0s, dm: [here]}]}", 5, "paging.SEV1[0].dm[0]", "`here` is no person", "mentioned only"),
    ("paging: {SEV1: [{after: 0s}]}", 5, "paging.SEV1[0]", "the step calls nobody", "`mention`, `dm` or `notify`"),
    ("paging: {SEV1: [{after: 0s, notify: true}]}", 5, "paging.SEV1[0].notify", "no address to call", "Apprise"),
    ("paging: {SEV1: [{after: 25h, mention: [U0ANA]}]}", 5, "paging.SEV1[0].after", "too late: '25h'", "24h"),
    (
        "paging: {SEV1: [{after: 5m, mention: [U0ANA]}, {after: 5m, dm: [U0ANA]}]}",
        5,
        "paging.SEV1[1].after",
        "does not come after the one before it",
        "in the order of time",
    ),
    (
        "notify: [json://a]\npaging: {SEV1: [{after: 0s, notify: [json, 1, 2]}]}",
        6,
        "paging.SEV1[0].notify[2]",
        "no such address",
        "`notify:` has 1: 1 (json)",
    ),
    ("paging: {quiet: {severities: [SEV3], from: 25:00, to: '07:00'}}", 5, "paging.quiet.from", "not a time of day", '"22:00"'),
    (
        "paging: {quiet: {severities: [SEV3], from: '07:00', to: '07:00'}}",
        5,
        "paging.quiet.to",
        "end when they begin",
        "leave the severity out",
    ),
    ("incidents: {declare_emoji: 'a b'}", 5, "incidents.declare_emoji", "no name of an emoji", "between the colons"),
    ("incidents: {declare_emoji: ':pushpin:'}", 5, "incidents.declare_emoji", "into the timeline already", "another emoji"),
    ("incidents: {bridge_url: 'http://meet.example'}", 5, "incidents.bridge_url", "without encryption", "https://"),
    ("people: {nag_after: soon}", 5, "people.nag_after", "soon", "or never"),
    ("people: {roles: []}", 5, "people.roles", "there are 0 roles", "1 to 6, the lead first"),
    ("people: {roles: [lead, 'the scribe']}", 5, "people.roles[1]", "the scribe", ""),
    ("people: {roles: [lead, scribe, Scribe]}", 5, "people.roles", "a role is named twice", "each once"),
    ("people: {roles: [lead, me]}", 5, "people.roles", "me cannot be a role", "something else"),
    ("people: {roles: [chief, commander]}", 5, "people.roles", "commander always means the first role", "put it first"),
    ("people: {on_call: {primary: {}}}", 5, "people.on_call.primary", "it needs one source", "`usergroup`"),
    ("people: {on_call: {here: {usergroup: S0ONCALL}}}", 5, "people.on_call.here", "means something else", "another"),
    (
        "people: {on_call: {primary: {usergroup: oncall}}}",
        5,
        "people.on_call.primary.usergroup",
        "not the ID of a user group",
        "S...",
    ),
    (
        "people: {on_call: {w: {rota: {starts: 2026-12-01T09:00:00Z, every: 7d, users: []}}}}",
        5,
        "people.on_call.w.rota.users",
        "must not be empty",
        "at least one",
    ),
    (
        "people: {on_call: {c: {ical: 'https://a.example/secret.ics'}}}",
        5,
        "people.on_call.c",
        "nobody of `ical` is known in Slack",
        "users",
    ),
    (
        "people: {on_call: {c: {ical: 'ftp://a.example/secret.ics', users: {ana: U0ANA}}}}",
        5,
        "people.on_call.c.ical",
        "does not start with http",
        "https://",
    ),
    (
        "people: {on_call: {c: {usergroup: S0ONCALL, ical: 'https://a.example/x.ics'}}}",
        5,
        "people.on_call.c",
        "it needs one source",
        "`pagerduty`",
    ),
    (
        "people: {on_call: {p: {pagerduty: {token: canary}, users: {ana: U0ANA}}}}",
        5,
        "people.on_call.p.pagerduty.schedule",
        "is missing",
        "schedule",
    ),
    ("flgas: {}", 5, "flgas", "no such key", "did you mean `flags`?"),
    ("server: {listen: 8080}", 5, "server.listen", "must be text", "quotes"),
    ("server: {control_tokens: [abcd]}", 5, "server.control_tokens[0]", "too short to be secret", "12 characters"),
    ("server: {control_tokens: ['']}", 5, "server.control_tokens[0]", "the token is empty", "${VAR:-}"),
    ("server: {listen: '0.0.0.0:8080'}", 5, "server.listen", "without a token nobody may read", "read_tokens"),
    ("server: {listen: '[::]:8080', read_tokens: ['']}", 5, "server.listen", "open to everybody", "127.0.0.1"),
    ("server: {listen: '0:8080'}", 5, "server.listen", "open to everybody", "127.0.0.1"),
    ("server: {listen: '0x0:8080'}", 5, "server.listen", "open to everybody", "127.0.0.1"),
    ("server: {listen: '[::ffff:0.0.0.0]:8080'}", 5, "server.listen", "open to everybody", "127.0.0.1"),
    ("server: {listen: '[0:0:0:0:0:0:0:0]:8080'}", 5, "server.listen", "open to everybody", "127.0.0.1"),
    (
        "server: {read_tokens: [abcdefghijklmnop], control_tokens: [abcdefghijklmnop]}",
        5,
        "server.control_tokens[0]",
        "it is a read token too",
        "give each its own",
    ),
    ("server: {outcome_tokens: [abcd]}", 5, "server.outcome_tokens[0]", "too short to be secret", "12 characters"),
    ("server: {outcome_tokens: ['']}", 5, "server.outcome_tokens[0]", "the token is empty", "${VAR:-}"),
    (
        "server: {control_tokens: [abcdefghijklmnop], outcome_tokens: [abcdefghijklmnop]}",
        5,
        "server.outcome_tokens[0]",
        "it is a control token too",
        "every service could change everything",
    ),
    (
        "server: {flag_tokens: [{name: a, token: abcdefghijklmnop}], control_tokens: [abcdefghijklmnop]}",
        5,
        "server.control_tokens[0]",
        "it is a read token too",
        "give each its own",
    ),
    (
        "server: {read_tokens: [abcdefghijklmnop], flag_tokens: [{name: a, token: abcdefghijklmnop}]}",
        5,
        "server.flag_tokens[0].token",
        "the same token stands elsewhere",
        "give each its own",
    ),
    (
        "server: {flag_tokens: [{name: a, token: abcdefghijklmnop}, {name: a, token: abcdefghijklmnoq}]}",
        5,
        "server.flag_tokens[1].name",
        "two tokens have this name",
        "known by it",
    ),
    ("server: {flag_tokens: [{token: abcdefghijklmnop}]}", 5, "server.flag_tokens[0].name", "is missing", ""),
    (
        "server: {flag_tokens: [{name: a, token: abcdefghijklmnop, flags: []}]}",
        5,
        "server.flag_tokens[0].flags",
        "empty",
        "one",
    ),
    ("server: {browsers: ['https://a.example/shop']}", 5, "server.browsers[0]", "ends with its host or port", "https://"),
    ("server: {browsers: ['*']}", 5, "server.browsers[0]", "", ""),
    ("server: {listen: nowhere}", 5, "server.listen", "not an address to listen on: 'nowhere'", "host:port"),
    ("server: {listen: '1.2.3.4:99999'}", 5, "server.listen", "not an address", "host:port"),
    ("server: {read_tokens: abc}", 5, "server.read_tokens", "must be a list", "[...]"),
    ("server: 5", 5, "server", "must be a mapping: '5'", "below it"),
    ("data: ''", 5, "data", "the path is empty", "./data"),
    ("notify: [nowhere]", 5, "notify[0]", "not a URL that Apprise takes", "scheme://"),
    ("allow_private: [10.0.0.1/8]", 5, "allow_private[0]", "not a network: '10.0.0.1/8'", "10.0.0.0/8"),
    ("detection: {window: 3, failures: 4}", 5, "detection.failures", "4 failures never fit into a window of 3", "at most"),
    ("detection: {window: 0}", 5, "detection.window", "out of range: '0'", "from 1 to 100"),
    ("detection: {window: true}", 5, "detection.window", "whole number", "digits"),
    ("detection: {window: 2.5}", 5, "detection.window", "whole number", "digits"),
    ("detection: {threshold: high}", 5, "detection.threshold", "must be a number: 'high'", "digits"),
    ("detection: {slow_factor: .nan}", 5, "detection.slow_factor", "must be a number: '.nan'", "digits"),
    ("detection: {slow_factor: 0.5}", 5, "detection.slow_factor", "out of range: '0.5'", "from 1 to 100"),
    ("detection: {down_share: 0.2}", 5, "detection", "more failing checks than down", "down_share"),
    ("detection: {window: 2}", 5, "detection", "3 failures never fit into a window of 2", "at most"),
    ("detection: {quorum: most}", 5, "detection.quorum", "not a quorum: 'most'", "majority"),
    ("samples: {budget: 2}", 5, "samples.budget", "not a size: '2'", "500MB"),
    ("samples: {keep: 1h}", 5, "samples.keep", "too short: '1h'", "2h"),
    ("samples: {budget: 1MB}", 5, "samples.budget", "too small: '1MB'", "10MB"),
    ("mutes: {longest: 31d}", 5, "mutes.longest", "hides an outage", "30d"),
    ("mutes: {longest: 0s}", 5, "mutes.longest", "", ""),
    ("maintenance: [{lasts: 2h}]", 5, "maintenance[0].starts", "is missing", "add `starts:`"),
    ("maintenance: [{starts: tomorrow, lasts: 2h}]", 5, "maintenance[0].starts", "not a moment", "2026-11-30T02:00:00Z"),
    ("maintenance: [{starts: 2026-11-30T02:00:00, lasts: 2h}]", 5, "maintenance[0].starts", "not a moment", "offset"),
    ("maintenance: [{starts: 2026-11-30T02:00:00Z, lasts: 8d}]", 5, "maintenance[0].lasts", "too long: '8d'", "7d"),
    (
        "maintenance: [{starts: 2026-11-30T02:00:00Z, lasts: 1d, repeats: daily}]",
        5,
        "maintenance[0].repeats",
        "would never end",
        "shorten",
    ),
    (
        "maintenance: [{starts: 2026-11-30T02:00:00Z, lasts: 1h, time_zone: Mars/X}]",
        5,
        "maintenance[0].time_zone",
        "no such time zone: 'Mars/X'",
        "Europe/Berlin",
    ),
    (
        "maintenance: [{starts: 2026-11-30T02:00:00Z, lasts: 1h, components: [a.b]}]",
        5,
        "maintenance[0].components[0]",
        "there is no component 'a.b'",
        "components",
    ),
    ("vantage: Frankfurt am Main", 5, "vantage", "not a name that can stand here", "letters"),
    ("vantage: fra\npeers: [{vantage: fra}]", 6, "peers[0].vantage", "this label is our own", "own label"),
    ("peers:\n- vantage: a\n- vantage: a", 7, "peers[1].vantage", "another peer's, in line 6", "own label"),
    ("providers:\n  control: {}", 6, "providers.control", "belongs to the control group", "another"),
    (
        "providers: {a: {components: {b: {depends_on: [a.c]}}}}",
        5,
        "providers.a.components.b.depends_on[0]",
        "there is no component 'a.c'",
        "a.b",
    ),
    (
        "providers: {a: {components: {b: {depends_on: [a.b]}}}}",
        5,
        "providers.a.components.b.depends_on[0]",
        "cannot depend on itself",
        "take it out",
    ),
    ("incidents:\n  private: yes", 6, "incidents.private", "must be true or false: 'yes'", "true or false"),
    ("incidents:\n  open_on: {down: SEV5}", 6, "incidents.open_on.down", "no such choice: 'SEV5'", "did you mean `SEV"),
    ("incidents: {open_on: {donw: SEV1}}", 5, "incidents.open_on.donw", "no such key", "`down`"),
    ("incidents: {update_every: {SEV5: 1m}}", 5, "incidents.update_every.SEV5", "no such key", "`SEV"),
    ("incidents: {update_every: {SEV1: hourly}}", 5, "incidents.update_every.SEV1", "not a duration", "on_change"),
    ("incidents: {channel_name: 'inc-{slug}'}", 5, "incidents.channel_name", "does not hold {number}", "add {number}"),
    ("incidents: {channel_name: 'inc-{number:04d}'}", 5, "incidents.channel_name", "unknown field", "{date}"),
    ("incidents: {channel_name: 'inc-{number}-{who}'}", 5, "incidents.channel_name", "unknown field", "{slug}"),
    ("incidents: {channel_name: 'inc-{number'}", 5, "incidents.channel_name", "braces", "{slug}"),
    ("incidents: {channel_name: 'Inc {number}'}", 5, "incidents.channel_name", "Slack does not take", "lower-case"),
    ("runbooks:\n  a.b: {}", 6, "runbooks.a.b", "there is no component 'a.b'", "no components to choose from"),
    ("control_group:\n  - {type: tcp, host: x, port: 0}", 6, "control_group[0].port", "out of range: '0'", "from 1 to 65535"),
    ("control_group: [{type: tcp, host: '[::1]', port: 1}]", 5, "control_group[0].host", "not a host: '[::1]'", "brackets"),
    ("control_group: [{type: tcp, host: 'a b', port: 1}]", 5, "control_group[0].host", "not a host", "alone"),
    ("control_group: [{type: tls, host: 'x:443'}]", 5, "control_group[0].host", "not a host: 'x:443'", "port"),
    ("control_group: [{type: dns, host: 'https://x'}]", 5, "control_group[0].host", "not a host", "scheme"),
    (
        "control_group: [{type: dns, host: x, server: dns.google}]",
        5,
        "control_group[0].server",
        "not the address",
        "192.0.2.53",
    ),
    ("control_group: [{type: http, url: 'https://x:0/'}]", 5, "control_group[0].url", "no such port", "65535"),
    ("providers:\n  Claude: {}", 6, "providers.Claude", "not a name that a key may have", "small letters"),
    ("providers:\n  x:\n    preset: openia", 7, "providers.x.preset", "no such preset", "did you mean `openai`?"),
    (
        "providers:\n  x: {api_key: '${NO_KEY}', preset: openai}",
        6,
        "providers.x.api_key",
        "variable NO_KEY is not set",
        "set NO_KEY",
    ),
    ("data: ${NO_DATA}/x", 5, "data", "variable NO_DATA is not set", "${NO_DATA:-...}"),
    ("data: ${NO-DATA}", 5, "data", "not understood", "${VAR:-default}"),
    ("data: ${DATA", 5, "data", "not closed", "$${"),
    ("data: ${file:/no/such/file}", 5, "data", "/no/such/file cannot be read", "readable"),
    # Checks; line 10 is the first one.
    (PROVIDER + "          - {type: htp, url: 'https://a'}", 10, f"{CHECKS}[0].type", "no such type of check: 'htp'", "`http`"),
    (
        PROVIDER + f"          - {{type: http, url: 'https://a', expect: {{matches: '{'(' * 3000}a{')' * 3000}'}}}}",
        10,
        f"{CHECKS}[0].expect.matches",
        "nested too deeply",
        "a shorter one",
    ),
    (
        PROVIDER + "          - {type: http, url: 'https://a', expect: {matches: '(a'}}",
        10,
        f"{CHECKS}[0].expect.matches",
        "not a pattern",
        "regular expression",
    ),
    (
        PROVIDER + "          - {type: http, url: 'https://a', expect: {header: {'a b': x}}}",
        10,
        f"{CHECKS}[0].expect.header",
        "not a header name",
        "letters",
    ),
    (
        PROVIDER + "          - {type: http, url: 'https://a', redirects: 9}",
        10,
        f"{CHECKS}[0].redirects",
        "out of range: '9'",
        "5",
    ),
    (
        PROVIDER + "          - {type: http, url: 'https://a', weight: 0}",
        10,
        f"{CHECKS}[0].weight",
        "out of range: '0'",
        "0.01",
    ),
    (
        PROVIDER + "          - {type: llm, dialect: openai, url: 'https://a', api_key: k}",
        10,
        f"{CHECKS}[0]",
        "no model is named",
        "add `model:`",
    ),
    (
        PROVIDER + "          - {type: llm, dialect: openai, url: 'https://a', api_key: k, model: a, models: [b]}",
        10,
        f"{CHECKS}[0].models",
        "both model and models",
        "one of them",
    ),
    (
        PROVIDER + "          - {type: llm, dialect: bedrock, url: 'https://a', api_key: k, model: a}",
        10,
        f"{CHECKS}[0]",
        "needs a region",
        "us-east-1",
    ),
    (
        PROVIDER + "          - {type: llm, dialect: openai, url: 'https://a', model: a, expect: {answer: '/(a/i'}}",
        10,
        f"{CHECKS}[0].expect.answer",
        "does not end as one",
        "(?i)",
    ),
    (
        PROVIDER + "          - {type: llm, dialect: openai, url: 'https://a', api_key: k, model: a, expect: {answer: '/(a/'}}",
        10,
        f"{CHECKS}[0].expect.answer",
        "not a pattern",
        "regular expression",
    ),
    (PROVIDER + "          - {url: 'https://a'}", 10, f"{CHECKS}[0].type", "is missing", "add `type:`"),
    (PROVIDER + "          - {type: http}", 10, f"{CHECKS}[0].url", "is missing", "add `url:`"),
    (
        PROVIDER + "          - {type: http,\n             url: ftp://a}",
        11,
        f"{CHECKS}[0].url",
        "does not start with http",
        "https://",
    ),
    (PROVIDER + "          - {type: http, url: 'https://u:p@a/'}", 10, f"{CHECKS}[0].url", "carries a login", "headers"),
    (PROVIDER + "          - {type: http, url: 'https:///x'}", 10, f"{CHECKS}[0].url", "no host", "https://host"),
    (PROVIDER + "          - {type: http, url: 'https://[::1'}", 10, f"{CHECKS}[0].url", "not a URL", "https://host"),
    (PROVIDER + "          - {type: http, url: 'https://a b/'}", 10, f"{CHECKS}[0].url", "blank", "percent"),
    (PROVIDER + "          - {type: http, url: 'https://a', every: 0s}", 10, f"{CHECKS}[0].every", "too short: '0s'", "100ms"),
    (
        PROVIDER + "          - {type: http, url: 'https://a', every: -5s}",
        10,
        f"{CHECKS}[0].every",
        "not a duration: '-5s'",
        "30s",
    ),
    (PROVIDER + "          - {type: http, url: 'https://a', every: .nan}", 10, f"{CHECKS}[0].every", "not a duration", "30s"),
    (
        PROVIDER + "          - {type: http, url: 'https://a', every: 30}",
        10,
        f"{CHECKS}[0].every",
        "needs its unit: '30'",
        "30s",
    ),
    (PROVIDER + "          - {type: http, url: 'https://a', every: 2d}", 10, f"{CHECKS}[0].every", "too long: '2d'", "1d"),
    (
        PROVIDER + f"          - {{type: http, url: 'https://a', every: {'9' * 30}d}}",
        10,
        f"{CHECKS}[0].every",
        "too long",
        "366d",
    ),
    (PROVIDER + "          - {type: http, url: 'https://a', evry: 1s}", 10, f"{CHECKS}[0].evry", "no such key", "`every`"),
    (
        PROVIDER + "          - {type: http, url: 'https://a', headers: {X: 5}}",
        10,
        f"{CHECKS}[0].headers.X",
        "must be text",
        "quotes",
    ),
    (
        PROVIDER + "          - {type: http, url: 'https://a', headers: {'a b': x}}",
        10,
        f"{CHECKS}[0].headers",
        "header name",
        "letters",
    ),
    (
        PROVIDER + "          - {type: http, url: 'https://a', headers: {A: x, a: y}}",
        10,
        f"{CHECKS}[0].headers",
        "twice",
        "keep one",
    ),
    (
        PROVIDER + "          - {type: http, url: 'https://a', expect: {status: 99}}",
        10,
        f"{CHECKS}[0].expect.status",
        "'99'",
        "2xx",
    ),
    (
        PROVIDER + "          - {type: http, url: 'https://a', expect: {status: []}}",
        10,
        f"{CHECKS}[0].expect.status",
        "no status",
        "2xx",
    ),
    (
        PROVIDER + "          - {type: http, url: 'https://a', expect: {undr: 1s}}",
        10,
        f"{CHECKS}[0].expect.undr",
        "no such",
        "`under`",
    ),
    (
        PROVIDER + "          - {type: http, url: 'https://a', body: x, json: 1}",
        10,
        f"{CHECKS}[0].json",
        "both body and json",
        "one",
    ),
    (PROVIDER + "          - {type: http, url: 'https://a', name: 'a.b'}", 10, f"{CHECKS}[0].name", "not a name", "letters"),
    (
        PROVIDER + "          - {type: http, url: 'https://a', name: x}\n          - {type: dns, host: a, name: x}",
        11,
        f"{CHECKS}[1].name",
        "the other is in line 10",
        "its own name",
    ),
    (
        "providers:\n  p:\n    components: {api: {}}\n    status_page: {dialect: statuspage, urls: ['https://a'],\n"
        "      components: {apy: x}}",
        9,
        "providers.p.status_page.components.apy",
        "no such component",
        "did you mean `api`?",
    ),
    ("providers: {p: {status_page: {dialect: rss, urls: []}}}", 5, "providers.p.status_page.urls", "must not be empty", "one"),
    (
        "providers: {p: {status_page: {dialect: rs, urls: ['https://a']}}}",
        5,
        "providers.p.status_page.dialect",
        "'rs'",
        "`rss`",
    ),
    # Flags; line 9 is the first one after variants.
    (FLAG, 7, "flags.chat.default", "is missing", "add `default:`"),
    (
        FLAG + "    default: gpt\n    aliases: {claud: Claude}",
        10,
        "flags.chat.aliases.claud",
        "no variant 'claud'",
        "did you mean `claude`?",
    ),
    (FLAG + "    default: claud", 9, "flags.chat.default", "no variant 'claud'", "did you mean `claude`?"),
    (
        FLAG + "    default: gpt\n    fallbacks: [{variant: x}]",
        10,
        "flags.chat.fallbacks[0].variant",
        "no variant 'x'",
        "`gpt`",
    ),
    (
        FLAG + "    default: gpt\n    fallbacks: [{variant: gpt}]",
        10,
        "flags.chat.fallbacks[0].variant",
        "default itself",
        "another",
    ),
    (
        FLAG + "    default: gpt\n    fallbacks: [{variant: claude}, {variant: claude}]",
        10,
        "flags.chat.fallbacks[1].variant",
        "twice",
        "keep the first",
    ),
    (
        FLAG + "    default: gpt\n    fallbacks: [{variant: claude, needs: antropic.api}]",
        10,
        "flags.chat.fallbacks[0].needs",
        "no component 'antropic.api'",
        "did you mean `anthropic.api`?",
    ),
    (
        FLAG + "    default: gpt\n    depends_on: [openai.api]",
        10,
        "flags.chat.depends_on[0]",
        "no component",
        "`anthropic.api`",
    ),
    (FLAG + "    default: gpt\n    depends_on: anthropic.api", 10, "flags.chat.depends_on", "must be a list", "[...]"),
    (FLAG + "    default: gpt\n    automation: of", 10, "flags.chat.automation", "no such choice: 'of'", "did you mean `off`?"),
    (
        FLAG + "    default: gpt\n    hand_back: {steps: [50, 10]}",
        10,
        "flags.chat.hand_back.steps",
        "do not ascend",
        "ascend" * 0,
    ),
    (
        FLAG + "    default: gpt\n    hand_back: {steps: [0, 100]}",
        10,
        "flags.chat.hand_back.steps[0]",
        "range: '0'",
        "1 to 100",
    ),
    ("server: {socket: read.sock}", 5, "server.socket", "not the path of a socket", "from the root"),
    (f"server: {{socket: /{'x' * 103}}}", 5, "server.socket", "not the path of a socket", "at most 103 bytes"),
    ("server: {socket: /run/r.sock, socket_access: 0660}", 5, "server.socket_access", "", "owner"),
    (FLAG + "    default: gpt\n    hand_back: {steps: []}", 10, "flags.chat.hand_back.steps", "no steps", "[10, 25, 50, 100]"),
    (FLAG + "    default: gpt\n    expires_after: 0s", 10, "flags.chat.expires_after", "too short", "1ms"),
    (
        "flags: {chat: {default: a, variants: {a: 1,\n  b: x}}}",
        6,
        "flags.chat.variants.b",
        "a string, but that of `a`",
        "one type",
    ),
    ("flags: {chat: {default: a, variants: {a: 1, b: true}}}", 5, "flags.chat.variants.b", "is a Boolean", "one type"),
    ("flags: {chat: {default: a, variants: {a: [1]}}}", 5, "flags.chat.variants.a", "cannot have this type", "object"),
    ("flags: {chat: {default: a, variants: {a: }}}", 5, "flags.chat.variants.a", "cannot have this type", "object"),
    ("flags: {-chat: {default: a, variants: {a: 1}}}", 5, "flags.-chat", "not a name that a key may have", "at most 128"),
    ("flags:\n  chat: {default: a, variants: {a: 1}}\n  chat: {}", 7, "flags.chat", "in line 6 and in line 7", "another name"),
]


@pytest.mark.parametrize(
    ("written", "line", "key", "message", "remedy"), TABLE, ids=[f"{row[2]}-{i}" for i, row in enumerate(TABLE)]
)
def test_mistake_is_named_with_line_key_and_remedy(
    tmp_path: Path, written: str, line: int, key: str, message: str, remedy: str
) -> None:
    """One mistake gives one error, at its line and key, that says what to do."""
    found = errors_of(tmp_path / "understudy.yaml", HEAD + written)
    assert [(line, key)] == [(error[0], error[1]) for error in found], found
    assert message in found[0][2]
    assert remedy in found[0][3]


def test_all_errors_come_together_when_a_file_has_many(tmp_path: Path) -> None:
    """Eight different mistakes in one file are eight errors of one exception, in the order of the file."""
    text = """\
slack:
  bot_token: ${SLACK_BOT_TOKEN}
  app_token: xapp-1
  alert_channel: "#ops"
providers:
  anthropic:
    components:
      api:
        checks:
          - {type: http, url: "https://a.example", every: 0s}
flags:
  chat:
    variants: {a: x, b: 1}
    default: c
    depends_on: [anthropic.apy]
  chat:
    variants: {}
incidents:
  private: off
"""
    found = errors_of(tmp_path / "understudy.yaml", text)
    assert [
        (2, "slack.bot_token"),
        (4, "slack.alert_channel"),
        (10, "providers.anthropic.components.api.checks[0].every"),
        (13, "flags.chat.variants.b"),
        (14, "flags.chat.default"),
        (15, "flags.chat.depends_on[0]"),
        (16, "flags.chat"),
        (19, "incidents.private"),
    ] == [(line, key) for line, key, _, _ in found]


def test_errors_print_file_line_key_message_and_remedy_when_shown(tmp_path: Path) -> None:
    """str() has one line for each error, ready for a terminal."""
    path = tmp_path / "understudy.yaml"
    path.write_text(HEAD + "flgas: {}\ndata: ''\n", encoding="utf-8")
    with pytest.raises(ConfigErrors) as caught:
        load(path, {})
    assert (
        f"{path}:5: flgas: there is no such key — did you mean `flags`?\n"
        f"{path}:6: data: the path is empty — name a folder, such as ./data"
    ) == str(caught.value)


def test_flags_that_differ_by_case_are_named_with_the_other_line(tmp_path: Path) -> None:
    """`Chat` and `chat` would be one flag to a hurried reader."""
    text = HEAD + "flags:\n  chat: {default: a, variants: {a: 1}}\n  Chat: {default: a, variants: {a: 1}}\n"
    found = errors_of(tmp_path / "understudy.yaml", text)
    assert any(key == "flags.Chat" and "from `chat` in line 6 only by small and capital" in what for _, key, what, _ in found)


ALIAS_BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in pairwise("abcdefghi")
)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 0, "the file is empty"),
        ("# nothing\n", 0, "the file is empty"),
        ("---\n", 0, "the file is empty"),
        ("- a\n", 1, "does not hold a mapping"),
        ("\nword\n", 2, "does not hold a mapping"),
        ("a: b: c\n", 1, "not valid YAML"),
        ("a: [1\nb: 2\n", 2, "not valid YAML"),
        ("a:\n\tb: 1\n", 2, "not valid YAML"),
        ("a: 1\n---\nb: 2\n", 2, "a second document begins"),
        ("a: !!python/object/apply:os.system [x]\n", 1, "has no meaning here"),
        ("? [a, b]\n: c\n", 1, "a key must be a word"),
        ("a: *b\n", 1, "no finished anchor"),
        ("a: &a [*a]\n", 1, "no finished anchor"),
        ("a: \x07\n", 1, "a character that YAML does not take"),
        ('a: "\\UFFFFFFFF"\n', 0, "not valid YAML"),
        ('a: "\\ud800"\n', 1, "lone surrogate"),
        ("a: " + "9" * 5000 + "\n", 1, "the number is too large"),
        ("a: 1e999\n", 1, "the number is too large"),
        ("a: " + "[" * 5000 + "\n", 1, "nested too deeply"),
        (ALIAS_BOMB, 6, "too large once its aliases are followed"),
    ],
)
def test_file_that_is_no_configuration_gives_one_error_when_read(tmp_path: Path, text: str, line: int, message: str) -> None:
    """What cannot be read at all is said once, and a bomb of aliases is stopped before it grows."""
    found = errors_of(tmp_path / "understudy.yaml", text)
    assert [line] == [error[0] for error in found]
    assert message in found[0][2]


def test_missing_file_is_an_error_of_the_configuration(tmp_path: Path) -> None:
    """A path that leads nowhere is told like every other mistake."""
    with pytest.raises(ConfigErrors, match="there is no such file"):
        load(tmp_path / "none.yaml", {})


@pytest.mark.timeout(20)
def test_pipe_is_an_error_and_nobody_waits_for_its_writer(tmp_path: Path) -> None:
    """`${file:...}` on a pipe, or a pipe as the file itself; a start that hangs says nothing."""
    pipe, file = tmp_path / "pipe", tmp_path / "understudy.yaml"
    os.mkfifo(pipe)
    [found] = errors_of(file, f"{HEAD}data: ${{file:{pipe}}}\n")

    assert (5, "data", f"{pipe} is not a regular file") == found[:3]
    with pytest.raises(ConfigErrors, match="not a regular file"):
        load(pipe, {})


@pytest.mark.parametrize(
    ("slack", "line", "key", "message", "remedy"),
    [
        ("{bot_token: xapp-canary, app_token: xapp-1}", 1, "slack.bot_token", "this is the app-level token", "xoxb-"),
        (
            "{mode: http, bot_token: xoxb-1, signing_secret: xapp-canary}",
            1, "slack.signing_secret", "this is a token", "Basic Information",
        ),
        ("{bot_token: xoxb-1, app_token: xoxb-canary}", 1, "slack.app_token", "this is the bot token", "begins with xapp-"),
        (
            "{bot_token: xoxb-1, app_token: xapp-1, alerts_channel: 'https://hooks.slack.com/services/T1/B1/canary'}",
            1, "slack.alerts_channel", "an address is no channel", "name the channel",
        ),
        (
            "{bot_token: xoxb-1, app_token: xapp-1, backup_channel: 'https://hooks.slack.com/services/T1/B1/canary'}",
            1, "slack.backup_channel", "an address is no channel", "name the channel",
        ),
        (
            "{bot_token: xoxb-1, app_token: xapp-1, alerts_channel: '@canary'}",
            1, "slack.alerts_channel", "a person is no channel", "name the channel",
        ),
    ],
)  # fmt: skip
def test_commonest_mistakes_of_a_first_installation_are_refused(
    tmp_path: Path, slack: str, line: int, key: str, message: str, remedy: str
) -> None:
    """Exchanged tokens, and a webhook where a channel belongs; named, without what was written."""
    [found] = errors_of(tmp_path / "understudy.yaml", f"slack: {slack}\n")

    assert (line, key, message) == found[:3]
    assert remedy in found[3]
    assert "canary" not in repr(found)


def test_folder_and_binary_are_errors_when_given_as_file(tmp_path: Path) -> None:
    """Neither a folder nor bytes that are no text end in a traceback."""
    with pytest.raises(ConfigErrors, match="not a regular file"):
        load(tmp_path, {})
    path = tmp_path / "binary.yaml"
    path.write_bytes(b"a: 1\nb: \xff\xfe\n")
    with pytest.raises(ConfigErrors, match=r"binary\.yaml:2: the file is not UTF-8"):
        load(path, {})


@pytest.mark.parametrize(
    "written",
    [
        "server: {read_tokens: {canary-secret: 1}, control_tokens: [[canary-secret]]}",
        "server: {listen: '${CANARY}', read_tokens: ['${CANARY}\\nx']}",
        "providers: {p: {api_key: [canary-secret], components: {a: {checks: [{type: http, url: '${CANARY}'}]}}}}",
        "providers: {p: {components: {a: {checks: [{type: http, url: 'https://a', headers: {a: [canary-secret]}}]}}}}",
        "providers: {p: {components: {a: {checks: [{type: http, url: 'https://a', every: '${CANARY}'}]}}}}",
        "notify: [canary-secret]",
        "flags: {f: {variants: {a: 1}, default: '${CANARY}', depends_on: ['${CANARY}'], automation: '${CANARY}'}}",
    ],
)
def test_secret_stays_out_of_errors_when_it_stands_in_a_wrong_place(tmp_path: Path, written: str) -> None:
    """Errors quote only what was written in the file at a place where no secret can be."""
    path = tmp_path / "understudy.yaml"
    path.write_text(HEAD + written, encoding="utf-8")
    with pytest.raises(ConfigErrors) as caught:
        load(path, {"CANARY": "canary-secret"})
    assert "canary-secret" not in str(caught.value).replace("server.read_tokens.canary-secret", "")
