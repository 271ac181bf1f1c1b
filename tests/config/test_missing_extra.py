"""A configuration that needs what is not installed is refused with what brings it."""

import subprocess
import sys
from pathlib import Path

import pytest

WITHOUT = """
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] == sys.argv[2] else INNER.find_spec(name, path, target)
from importlib.machinery import PathFinder as INNER
sys.meta_path[:] = [Hidden() if finder is INNER else finder for finder in sys.meta_path]
from pathlib import Path
from bot.config.load import load
from bot.config.reading.errors import ConfigErrors
try:
    load(Path(sys.argv[1]), {})
except ConfigErrors as errors:
    print(errors)
"""
BEDROCK = """
slack: {mode: none}
providers:
  aws:
    components:
      api:
        checks:
          - {type: llm, dialect: bedrock, region: us-east-1, url: 'https://a', model: m, api_key: k}
"""
NOTIFY = """
slack: {mode: none}
notify: ["json://pager.example.com"]
"""
CALENDAR = """
slack: {mode: none}
people: {on_call: {rota: {ical: "https://calendar.example.com/a.ics", users: {ana: U0ANA}}}}
"""


def said_without(package: str, config: str, folder: Path) -> str:
    """What is said of a configuration where a package is not installed."""
    path = folder / "understudy.yaml"
    path.write_text(config, encoding="utf-8")
    command = [sys.executable, "-c", WITHOUT, str(path), package]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.mark.parametrize(
    ("package", "config", "words"),
    [
        ("botocore", BEDROCK, "checks[0]: bedrock needs botocore, which is not installed — pip install 'understudy[bedrock]'"),
        ("apprise", NOTIFY, "notify[0]: `notify` needs apprise, which is not installed — pip install 'understudy[notify]'"),
        (
            "icalendar",
            CALENDAR,
            "ical: `ical` needs icalendar, which is not installed — pip install 'understudy[calendars]'",
        ),
    ],
)
def test_what_needs_an_extra_says_what_brings_it(package: str, config: str, words: str, tmp_path: Path) -> None:
    """At the place, before anything runs."""
    assert words in said_without(package, config, tmp_path)


def test_demo_says_what_brings_its_packages_when_they_are_not_installed() -> None:
    """Before a story begins whose service could not be started."""
    verb = WITHOUT.partition("from pathlib")[0] + "from bot.cli.verbs import main\nmain(['demo', '--exit-when-done'])\n"
    command = [sys.executable, "-c", verb, "", "openfeature"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (2, "") == (done.returncode, done.stdout)
    assert "the demo needs its extra packages (openfeature is missing): pip install 'understudy[demo]'" in done.stderr


def test_init_says_what_brings_notify_when_it_is_not_installed(tmp_path: Path) -> None:
    """Without Slack it is the next thing to set, and would be refused."""
    verb = WITHOUT.partition("from pathlib")[0] + "from bot.cli.verbs import main\nmain(sys.argv[3:])\n"
    args = ["init", "--slack", "none", "--url", "https://a.example.com", "--service", "", "--output", str(tmp_path / "a.yaml")]
    command = [sys.executable, "-c", verb, "", "apprise", *args]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "an Apprise URL, for which you need `pip install 'understudy[notify]'`" in done.stdout


@pytest.mark.parametrize("package", ["apprise", "icalendar"])
def test_what_nobody_uses_need_not_be_there(package: str, tmp_path: Path) -> None:
    """The configuration that `understudy init` writes names an address that may not be set."""
    assert "" == said_without(package, "slack: {mode: none}\nnotify: ['${UNDERSTUDY_NOTIFY_URL:-}']\n", tmp_path)
