"""What a good file becomes: models, defaults, warnings, checks that are off, and what is not available yet."""

import tempfile
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from bot.config.checks.http import HttpCheck
from bot.config.incidents import OpenOn
from bot.config.load import Loaded, OffCheck, load
from bot.config.models import Provider
from bot.config.presets import preset_names
from bot.config.reading.errors import ConfigErrors

EXAMPLE = Path(__file__).parents[2] / "examples" / "understudy.yaml"
CHECK_TYPE = "providers.p.components.c.checks[0].type"
DIALECT = "providers.p.status_page.dialect"
SLACK = "slack: {bot_token: xoxb-123456, app_token: xapp-123456}\n"
ENVIRON = {"SLACK_BOT_TOKEN": "xoxb-from-env", "SLACK_APP_TOKEN": "xapp-from-env"}


def loaded(path: Path, text: str, environ: dict[str, str] | None = None) -> Loaded:
    """The text, loaded as a file."""
    path.write_text(SLACK + text, encoding="utf-8")
    return load(path, environ or {})


def check_of(written: str) -> str:
    """A configuration whose only check, in line 2, is this one."""
    return f"providers: {{p: {{components: {{c: {{checks: [{written}]}}}}}}}}"


def page_of(dialect: str) -> str:
    """A configuration with a status page of this dialect in line 2."""
    return f"providers: {{p: {{status_page: {{dialect: {dialect}, urls: ['https://a']}}}}}}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a test writes its configuration."""
    return tmp_path / "understudy.yaml"


def test_example_loads_when_only_slack_is_set() -> None:
    """The shipped example is a working configuration; without keys its checks are off, with a reason each."""
    found = load(EXAMPLE, ENVIRON)
    config = found.config
    assert ["anthropic.api", "anthropic.web", "openai.api", "openai.web", "gemini.api", "ours.reports"] == list(
        config.components()
    )
    assert ["anthropic.web.front", "openai.web.front", "gemini.api.certificate", "ours.reports.run"] == [
        placed.id for placed in config.live_checks()
    ]
    assert ["control.cloudflare", "control.google", "control.names"] == [placed.id for placed in config.controls()]
    assert (
        OffCheck("anthropic.api", "models", "headers.x-api-key is empty: set ANTHROPIC_API_KEY to turn the check on")
        in found.off_checks
    )
    assert {
        ("openai.api", "models"),
        ("openai.api", "inference"),
        ("anthropic.api", "inference"),
        ("anthropic.api", "models"),
        ("gemini.api", "ask-gemini-2-5-flash"),
        ("gemini.api", "ask-gemini-2-5-pro"),
    } == {(off.component, off.check) for off in found.off_checks}
    assert ["server.read_tokens"] == [warning.split(": ")[1] for warning in found.warnings]  # one to set, or the other choice
    assert () == config.server.read_tokens
    assert () == config.notify
    assert ("127.0.0.1", 8080) == (config.server.host, config.server.port)
    flag = config.flags["support-chat.llm"]
    assert ("auto", timedelta(minutes=10), (10, 25, 50, 100)) == (flag.automation, flag.min_hold, flag.hand_back.steps)
    assert {"SEV1": timedelta(minutes=30), "SEV2": timedelta(hours=1), "SEV3": timedelta(hours=1), "SEV4": None} == (
        config.incidents.update_every.by_severity()
    )


@pytest.mark.parametrize(
    ("written", "path"),
    [
        (page_of("google"), DIALECT),
        (page_of("aws"), DIALECT),
        (page_of("azure"), DIALECT),
        (page_of("instatus"), DIALECT),
        (page_of("betterstack"), DIALECT),
        (page_of("slack"), DIALECT),
        (page_of("rss"), DIALECT),
    ],
)
def test_pending_feature_is_reported_once_when_used(file: Path, written: str, path: str) -> None:
    """What parses but does nothing yet never stays unsaid."""
    found = loaded(file, written)
    assert [(path, 2)] == [(item.path, item.line) for item in found.pending]
    assert "not available yet" in found.pending[0].what
    assert () == found.config.live_checks()


def test_nothing_is_pending_when_only_living_features_are_used(file: Path) -> None:
    """HTTP checks, Statuspage pages, notify and threads are alive."""
    text = """
providers:
  p:
    components: {c: {checks: [{type: http, url: 'https://a'}]}}
    status_page: {dialect: statuspage, urls: ['https://a']}
notify: ["json://localhost"]
incidents: {open_on: {down: thread}}
allow_private: []
control_group: []
"""
    assert () == loaded(file, text).pending


def test_slack_over_http_needs_its_signing_secret_and_no_app_token(file: Path) -> None:
    """Mode http asks for another credential than socket."""
    file.write_text("slack:\n  mode: http\n  bot_token: xoxb-1\n", encoding="utf-8")
    with pytest.raises(ConfigErrors, match=r"understudy.yaml:1: slack.signing_secret: is missing"):
        load(file, {})
    file.write_text("slack:\n  mode: http\n  bot_token: xoxb-1\n  signing_secret: abc\n", encoding="utf-8")
    assert load(file, {}).config.slack.mode == "http"


@pytest.mark.parametrize("written", ["slack: none\n", "slack: {mode: none}\n"])
def test_slack_may_be_left_out(file: Path, written: str) -> None:
    """No token is asked for; where nobody is told in another way either, that is said with its line."""
    file.write_text(written, encoding="utf-8")
    found = load(file, {})
    file.write_text(f"{written}notify: ['json://localhost']\n", encoding="utf-8")

    assert "none" == found.config.slack.mode
    assert ["neither Slack nor `notify`" in line and ":1: slack" in line for line in found.warnings] == [True]
    assert () == load(file, {}).warnings


def test_missing_slack_variable_is_an_error_or_a_warning_as_asked(file: Path) -> None:
    """Running needs the tokens; checking does not."""
    file.write_text("slack:\n  bot_token: ${SLACK_BOT_TOKEN}\n  app_token: ${SLACK_APP_TOKEN}\n", encoding="utf-8")
    with pytest.raises(ConfigErrors) as caught:
        load(file, {"SLACK_APP_TOKEN": ""})
    assert [(2, "slack.bot_token"), (3, "slack.app_token")] == [(error.line, error.key) for error in caught.value.errors]
    found = load(file, {}, lenient_credentials=True)
    assert "" == found.config.slack.bot_token.get_secret_value()
    assert (
        f"{file}:2: slack.bot_token: the environment variable SLACK_BOT_TOKEN is not set; it is taken as empty",
        f"{file}:3: slack.app_token: the environment variable SLACK_APP_TOKEN is not set; it is taken as empty",
    ) == found.warnings


def test_missing_slack_section_is_an_error_only_when_slack_is_needed(file: Path) -> None:
    """A file without Slack is good for offline verbs."""
    file.write_text("providers: {github: {preset: github}}\n", encoding="utf-8")
    with pytest.raises(ConfigErrors, match=r"slack.bot_token: is missing"):
        load(file, {})
    found = load(file, {}, lenient_credentials=True)
    assert ("socket", "#ops", "https://slack.com/api/") == (
        found.config.slack.mode, found.config.slack.alerts_channel, found.config.slack.api_url,
    )  # fmt: skip


def test_variables_expand_inside_strings_only(file: Path, tmp_path: Path) -> None:
    """A value cannot break out of its string, an escape stays text, and a file's last line end is cut off."""
    secret = tmp_path / "secret"
    secret.write_text("from-file\n", encoding="utf-8")
    text = f"""
data: "${{A}}-${{B:-two}}-${{EMPTY:-three}}-$${{A}}-$A"
server: {{read_tokens: ["${{file:{secret}}}", "${{EMPTY}}", "", "{" "}"]}}
notify: ["${{EMPTY}}"]
detection: {{window: "${{N}}"}}
incidents: {{private: "${{P}}"}}
"""
    config = loaded(file, text, {"A": "x'\n- y: [", "EMPTY": "", "N": "7", "P": "true"}).config
    assert Path("x'\n- y: [-two-three-${A}-$A") == config.data
    assert ["from-file"] == [token.get_secret_value() for token in config.server.read_tokens]
    assert () == config.notify
    assert (7, True) == (config.detection.window, config.incidents.private)


def test_words_stay_words_when_yaml_1_1_would_turn_them_into_something_else(file: Path) -> None:
    """off, no, dates, octal and sexagesimal numbers are text; 007 keeps its zeros."""
    values = "{off: no, on: 2026-01-02, a: 010, b: '1', c: 1:30, d: 0x1f, e: 1_000}"
    text = f"flags: {{f: {{automation: off, default: off, variants: {values}}}}}"
    flag = loaded(file, text).config.flags["f"]
    assert "off" == flag.automation
    assert {"off": "no", "on": "2026-01-02", "a": "010", "b": "1", "c": "1:30", "d": "0x1f", "e": "1_000"} == flag.variants


def test_values_of_variants_stay_as_written_when_empty(file: Path) -> None:
    """What services read is theirs: nothing is dropped inside, Booleans and numbers keep their type."""
    text = "flags: {f: {default: a, variants: {a: {list: ['', null, 1], none: null, t: true, f: 1.5}}}}"
    assert {"a": {"list": ["", None, 1], "none": None, "t": True, "f": 1.5}} == loaded(file, text).config.flags["f"].variants


def test_keys_without_value_count_as_absent(file: Path) -> None:
    """Whoever comments out the content of a section gets its defaults; a bare component is a component."""
    text = "server:\nflags:\nincidents:\n  open_on:\nproviders:\n  p:\n    components:\n      c:\n"
    config = loaded(file, text).config
    assert (["p.c"], {}, OpenOn()) == (list(config.components()), config.flags, config.incidents.open_on)


def test_aliases_and_merge_keys_work_within_limits(file: Path) -> None:
    """Anchors save repetition; own keys win over merged ones."""
    text = """
providers:
  a: {components: {c: &c {checks: [{type: http, url: "https://a", name: one}]}}}
  b: {components: {c: {<<: *c, name: B}, d: *c}}
"""
    config = loaded(file, text).config
    assert ["a.c.one", "b.c.one", "b.d.one"] == [placed.id for placed in config.checks()]
    assert "B" == config.component_name("b.c")
    assert "d" == config.component_name("b.d")


def test_nameless_checks_take_their_type_numbered(file: Path) -> None:
    """http, http-2, ... and never a name that another check has."""
    text = """
providers:
  p:
    components:
      c:
        checks:
          - {type: http, url: "https://a"}
          - {type: http, url: "https://b"}
          - {type: tcp, host: h, port: 1}
          - {type: http, url: "https://c", name: http-3}
          - {type: http, url: "https://d"}
control_group: [{type: http, url: "https://a"}, {type: http, url: "https://b"}]
"""
    config = loaded(file, text).config
    assert ["http", "http-2", "tcp", "http-3", "http-4"] == [placed.name for placed in config.checks()]
    assert ["http", "http-2"] == [check.name for check in config.control_group]


def test_http_check_takes_its_defaults_when_only_the_url_is_given(file: Path) -> None:
    """A URL is enough; 2xx is good."""
    config = loaded(file, "providers: {p: {components: {c: {checks: [{type: http, url: 'https://a'}]}}}}").config
    check = config.checks()[0].check
    assert isinstance(check, HttpCheck)
    assert ("GET", timedelta(seconds=30), timedelta(seconds=10), {}) == (
        check.method,
        check.every,
        check.deadline,
        check.headers,
    )
    assert (True, True, False) == (check.expect.accepts(200), check.expect.accepts(299), check.expect.accepts(302))


def test_expected_statuses_are_numbers_and_classes(file: Path) -> None:
    """A list may mix both."""
    expect = "{status: [2xx, 404, '410'], under: 900ms, contains: ok}"
    written = f"{{type: http, url: 'https://a', method: POST, json: {{a: ['']}}, expect: {expect}}}"
    check = loaded(file, check_of(written)).config.checks()[0].check
    assert isinstance(check, HttpCheck)
    assert [True, True, True, False] == [check.expect.accepts(status) for status in (204, 404, 410, 403)]
    assert (timedelta(milliseconds=900), "ok", {"a": [""]}) == (check.expect.under, check.expect.contains, check.json_body)


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ("{x-api-key: '${KEY:-}'}", "headers.x-api-key is empty: set KEY to turn the check on"),
        ("{a: b, Authorization: 'Bearer ${KEY:-}'}", "headers.Authorization is empty: set KEY to turn the check on"),
        ("{Authorization: ''}", "headers.Authorization is empty: give it a value to turn the check on"),
    ],
)
def test_check_is_off_when_a_header_came_out_empty(file: Path, headers: str, reason: str) -> None:
    """A missing credential is no reason to stop, and none to ask a vendor without one."""
    written = check_of(f"{{type: http, url: 'https://a', headers: {headers}}}")
    found = loaded(file, written)
    assert (OffCheck("p.c", "http", reason),) == found.off_checks
    assert () == found.config.live_checks()
    assert () == loaded(file, written, {"KEY": "k"}).off_checks or "KEY" not in reason


def test_preset_of_anthropic_equals_the_example() -> None:
    """The example spells out what the preset brings."""
    example = load(EXAMPLE, ENVIRON | {"ANTHROPIC_API_KEY": "sk-ant-1"}).config.providers["anthropic"]
    text = "providers: {anthropic: {preset: anthropic, api_key: '${ANTHROPIC_API_KEY:-}'}}"
    preset = _provider(text, {"ANTHROPIC_API_KEY": "sk-ant-1"})
    assert example == preset.model_copy(update={"preset": None, "api_key": example.api_key})


def _provider(text: str, environ: dict[str, str]) -> Provider:
    with tempfile.TemporaryDirectory() as folder:
        config = loaded(Path(folder) / "understudy.yaml", text, environ).config
    return next(iter(config.providers.values()))


@pytest.mark.parametrize("name", preset_names())
def test_preset_loads_without_key_and_without_warning(file: Path, name: str) -> None:
    """Every preset is complete by itself; a check that needs a key is off and says where the key goes."""
    found = loaded(file, f"providers: {{vendor: {{preset: {name}}}}}")
    assert () == found.warnings
    assert found.config.components()
    assert all("write `api_key` beside `preset`" in off.reason for off in found.off_checks)


def test_keys_beside_preset_win(file: Path) -> None:
    """Mappings merge key by key, lists are replaced as a whole."""
    text = """
providers:
  openai:
    preset: openai
    name: Our OpenAI
    components:
      api: {open_on: {down: SEV1}}
      web: {checks: [{type: http, url: "https://web.example"}]}
      batch: {name: Batches}
    status_page: {every: 5m, components: {api: 01ABC, batch: 01DEF}}
"""
    config = loaded(file, text).config
    page = config.providers["openai"].status_page
    assert page is not None
    assert ("Our OpenAI", "OpenAI API") == (config.provider_name("openai"), config.component_name("openai.api"))
    assert (timedelta(minutes=5), "incidentio", {"api": "01ABC", "batch": "01DEF"}) == (
        page.every,
        page.dialect,
        page.components,
    )
    assert ["openai.api.inference", "openai.api.models", "openai.web.http"] == [placed.id for placed in config.checks()]
    assert OpenOn(down="SEV1", degraded="thread") == config.open_on("openai.api")
    assert OpenOn() == config.open_on("openai.web")


def test_last_step_of_hand_back_is_added_when_it_is_not_all(file: Path) -> None:
    """Services always return to the default in full."""
    text = "flags: {f: {default: a, variants: {a: 1}, hand_back: {steps: [20, 60]}}}"
    assert (20, 60, 100) == loaded(file, text).config.flags["f"].hand_back.steps


@pytest.mark.parametrize(
    ("written", "part"),
    [
        (check_of("{type: http, url: 'https://a', every: 5s}"), "the deadline (10s) is longer than the interval (5s)"),
        (check_of("{type: http, url: 'https://a', expect: {under: 11s}}"), "longer than the deadline"),
        ("providers: {p: {components: {c: {}}}}", "nothing watches it"),
        ("providers: {p: {api_key: k}}", "only used with `preset`"),
        ("people: {admins: ['@ana']}", "people.admins[0]: not a user or user-group ID"),
        ("people: {viewers: [U1ANA]}", "no commanders are named, so all of these viewers may run incidents"),
        ("people: {responders: [U1ANA]}", "no commanders are named, so all of these responders may run incidents"),
        (
            "people: {viewers: [U1ANA], commanders: [U1BOB], external: read}",
            "people.external: viewers are named, so only outsiders on that list may ask",
        ),
        ("flags: {f: {default: a, variants: {a: 1}, automation: auto}}", "without depends_on nothing ever switches"),
    ],
)  # fmt: skip
def test_warning_is_given_when_settings_hardly_make_sense(file: Path, written: str, part: str) -> None:
    """What works, but hardly as meant, is said with file and line, and does not stop anything."""
    found = loaded(file, f"{written}\nserver: {{open_to_loopback: true}}")
    assert 1 == len(found.warnings)
    assert found.warnings[0].startswith(f"{file}:2: ")
    assert part in found.warnings[0]


def test_secrets_are_listed_but_never_shown(file: Path) -> None:
    """The redactor learns every secret; repr and str of the configuration hold none."""
    text = """
server: {read_tokens: [canary-read], control_tokens: [canary-control]}
providers:
  p:
    components:
      c:
        checks:
          - type: http
            url: "https://a"
            headers: {Authorization: "Bearer ${MY_KEY}", Accept: application/json}
            json: {pin: "${MY_PASSWORD}"}
          - {type: llm, dialect: openai, url: "https://a", model: m, api_key: canary-llm}
  q: {preset: anthropic, api_key: canary-preset}
notify: ["mailto://canary-notify"]
"""
    config = loaded(file, text, {"MY_KEY": "canary-header\n", "MY_PASSWORD": "canary-pin", "SHORT_KEY": "abc"}).config
    assert {
        "xoxb-123456", "xapp-123456", "canary-read", "canary-control", "canary-header", "Bearer canary-header", "canary-pin",
        "canary-llm", "canary-preset", "mailto://canary-notify",
    } == config.secrets()  # fmt: skip
    shown = repr(config.model_copy(update={"providers": {k: v for k, v in config.providers.items() if k == "q"}})) + str(
        config.notify
    )
    assert "canary" not in shown.replace("canary-pin", "")
    header = config.checks()[0].check
    assert isinstance(header, HttpCheck)
    assert "Bearer canary-header" == header.headers["Authorization"].get_secret_value()


def test_networks_and_ids_parse(file: Path) -> None:
    """Private networks become network objects."""
    people = "people: {responders: [U12345], commanders: [S12345]}"
    found = loaded(file, f"allow_private: [10.0.0.0/8, '::1/128', 192.168.1.1]\n{people}")
    assert (ip_network("10.0.0.0/8"), ip_network("::1/128"), ip_network("192.168.1.1/32")) == found.config.allow_private
    assert () == found.warnings


def test_configuration_cannot_be_changed_after_loading(file: Path) -> None:
    """It is read once at start."""
    config = loaded(file, "").config
    with pytest.raises(ValueError, match="frozen"):
        config.data = Path("elsewhere")  # type: ignore[misc]


@pytest.mark.parametrize(
    ("written", "expected"),
    [("5m", timedelta(minutes=5)), ("never", None), ("0", None), ("'0'", None), ("0s", None)],
)
def test_nobody_is_asked_to_lead_where_that_is_never(file: Path, written: str, expected: timedelta | None) -> None:
    """In every way that people write it."""
    assert expected == loaded(file, f"people: {{nag_after: {written}}}").config.people.nag_after


def test_roles_are_words_in_any_case_and_script(file: Path) -> None:
    """They are typed, so their case does not count."""
    assert ("leitung", "schriftführung") == loaded(file, "people: {roles: [Leitung, Schriftführung]}").config.people.roles
