"""The rules of the code base, as in docs/architecture.md: who may import whom, where time is read, what happens at import."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

FLOORS = {
    "bot.core": 0,
    "bot.ports": 1,
    "bot.system": 1,
    "bot.cluster": 1,
    "bot.config": 1,
    "bot.timeline": 1,
    "bot.backtest": 1,
    "bot.views": 1,
    "bot.verbs": 1,
    "bot.exports": 1,
    "bot.flags": 1,
    "bot.checks.judging": 1,
    "bot.feeds.statuspage": 1,
    "bot.feeds.errors": 1,
    "bot.vantage.signing": 1,
    "bot.vantage.wire": 1,
    "bot.flags.sinks": 2,
    "bot.store": 2,
    "bot.checks": 2,
    "bot.feeds": 2,
    "bot.slack": 2,
    "bot.notify": 2,
    "bot.vantage": 2,
    "bot.on_call": 2,
    "bot.engine": 3,
    "bot.delivery": 3,
    "bot.watch": 3,
    "bot.outcomes": 3,
    "commands": 4,
    "bot.web": 4,
    "bot.sandbox": 4,
    "bot.ledger_care": 5,
    "bot.wiring": 6,
    "bot.app": 6,
    "bot.doctor": 7,
    "bot.demo": 7,
    "bot.cli": 8,
}

ADAPTERS = ("bot.store", "bot.checks", "bot.feeds", "bot.slack", "bot.notify", "bot.vantage", "bot.on_call", "bot.flags.sinks")

# third party -> where it may be imported
THIRD_PARTIES = {
    "slack_sdk": ("bot.slack", "commands"),
    "slack_bolt": ("bot.slack", "commands"),
    "sqlite_utils": ("bot.store",),
    "psycopg": ("bot.store.postgres",),
    "apscheduler": ("bot.engine.metronome",),
    "httpx": (
        "bot.checks",
        "bot.feeds.fetch",
        "bot.notify",
        "bot.on_call",
        "bot.flags.sinks.web",
        "bot.vantage.courier",
        "bot.cli",
        "bot.demo",
    ),
    "httptools": ("bot.checks",),
    "dns": ("bot.checks.dns",),
    "botocore": ("bot.checks.llm.dialects.bedrock",),
    "jsonpath": ("bot.config.checks.json_rules",),
    "apprise": ("bot.notify",),
    "icalendar": ("bot.on_call.ical",),
    "recurring_ical_events": ("bot.on_call.ical",),
    "google": ("bot.outcomes.otlp",),
    "opentelemetry": ("bot.outcomes.otlp",),
}

CLOCK_CALLS = {
    "datetime.now", "datetime.utcnow", "datetime.today", "time.time", "time.monotonic", "time.perf_counter", "time.sleep",
}  # fmt: skip


def modules() -> Iterator[tuple[str, Path, ast.Module]]:
    for path in sorted([*ROOT.glob("bot/**/*.py"), *ROOT.glob("commands/**/*.py")]):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        yield name, path, ast.parse(path.read_text(encoding="utf-8"))


@cache
def imported() -> Mapping[str, frozenset[str]]:
    """What each module imports; computed once, since it takes a second."""
    return {name: frozenset(imports(tree)) for name, _, tree in modules()}


def imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(module: str) -> str:
    """The longest name in FLOORS that contains this module."""
    return max((name for name in FLOORS if module == name or module.startswith(name + ".")), key=len, default="")


def leans_on(top: str = "bot") -> dict[str, set[str]]:
    """Each item of a folder with the neighbours that it imports; `commands/` counts as a neighbour of `bot/`."""
    deep = top.count(".") + 2
    graph: dict[str, set[str]] = {}
    for name, targets in imported().items():
        here = _cut(name, deep)
        if here.startswith(f"{top}.") or (top == "bot" and here == "commands"):
            graph.setdefault(here, set()).update(_cut(target, deep) for target in targets)
    return {here: there & graph.keys() - {here} for here, there in graph.items()}


def _cut(module: str, deep: int) -> str:
    return ".".join(module.split(".")[: deep if module.startswith("bot.") else 1])


PACKAGES = sorted({".".join(path.relative_to(ROOT).parts[:-2]) for path in ROOT.glob("bot/**/*/__init__.py")})


@pytest.mark.parametrize("top", PACKAGES)
def test_neighbours_do_not_import_each_other_in_a_circle(top: str) -> None:
    """Floors are coarse: within a folder imports go in one direction only, also indirectly."""
    order = list(TopologicalSorter(leans_on(top)).static_order())  # raises CycleError with the way round

    assert set(leans_on(top)) == set(order)


def test_folders_are_small() -> None:
    """At most twenty files besides subfolders, unless a README there says why. `bot/` itself has only `app.py`."""
    files: dict[Path, set[str]] = {}
    for path in (path for top in ("bot", "commands", "bench", "tests") for path in (ROOT / top).rglob("*.py")):
        files.setdefault(path.parent, set()).add(path.name)
    crowded = {at: held - {"__init__.py"} for at, held in files.items() if not (at / "README.md").exists()}

    assert {"app.py"} == files[ROOT / "bot"] - {"__init__.py"}
    assert [] == [f"{at.relative_to(ROOT)}: {len(held)} files" for at, held in crowded.items() if len(held) > 20]


def test_every_module_belongs_to_a_floor() -> None:
    """A new room must be listed before it is built."""
    homeless = [name for name in imported() if not room(name) and name != "bot"]

    assert [] == homeless


def test_imports_go_down_only() -> None:
    """No floor imports a higher one, and adapters do not know each other."""
    wrong = []
    for name, targets in imported().items():
        here = room(name)
        for target in targets:
            there = room(target)
            if not there or not here or there == here:
                continue
            sibling = here in ADAPTERS and there in ADAPTERS
            face = FLOORS[here] in (3, 4) and FLOORS[there] == 2
            if FLOORS[there] > FLOORS[here] or sibling or face:
                wrong.append(f"{name} imports {target}")

    assert [] == sorted(set(wrong))


def test_core_imports_the_standard_library_only() -> None:
    """Decisions are pure: no third party, no logging, no async, no clock."""
    banned = {"asyncio", "logging", "time", "random", "os", "socket", "threading", "pathlib"}
    wrong = []
    for name, targets in imported().items():
        if room(name) != "bot.core":
            continue
        for target in targets:
            top = target.partition(".")[0]
            if top in banned or (top not in sys.stdlib_module_names and top != "bot"):
                wrong.append(f"{name} imports {target}")

    assert [] == wrong


# Slash commands, terminal verbs and Slack's markup; `(?<!` of a pattern is none of them.
WORDED = re.compile(r"(?<![\w.])/(?:incident|fallback|health|understudy|drill)\b(?!/)|understudy [a-z]|<[#@]|<!\w|`")


def test_core_has_no_slash_commands_and_no_markup() -> None:
    """It returns codes and values; each interface knows its own commands, and how it names a channel."""
    wrong = []
    for name, _, tree in modules():
        if room(name) != "bot.core":
            continue
        told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and id(node) not in told
                and WORDED.search(node.value)
            ):
                wrong.append(f"{name}:{node.lineno} {node.value}")

    assert [] == wrong


def test_views_of_incidents_take_a_scene() -> None:
    """Incident, world and policy are one argument, so that a view can show more without a new one."""
    together = {"incident", "world", "policy"}
    wrong = []
    for name, _, tree in modules():
        for node in ast.walk(tree) if room(name) == "bot.views" else ():
            if isinstance(node, ast.FunctionDef) and together <= {arg.arg for arg in (*node.args.args, *node.args.kwonlyargs)}:
                wrong.append(f"{name}.{node.name}")

    assert [] == wrong


def test_third_party_libraries_have_one_place() -> None:
    """Each is imported by its own rooms only."""
    wrong = []
    for name, targets in imported().items():
        for target in targets:
            allowed = THIRD_PARTIES.get(target.partition(".")[0])
            if allowed and not any(name == place or name.startswith(place + ".") for place in allowed):
                wrong.append(f"{name} imports {target}")

    assert [] == sorted(set(wrong))


def test_time_is_read_in_one_place() -> None:
    """Only bot/system/clock.py asks the machine for the time."""
    wrong = []
    for name, _, tree in modules():
        if name == "bot.system.clock":
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in CLOCK_CALLS:
                wrong.append(f"{name}:{node.lineno} {ast.unparse(node.func)}")

    assert [] == wrong


def test_nothing_happens_at_import() -> None:
    """Importing every module opens no file or socket, and reads no environment variable of ours."""
    program = (
        "import importlib, os, socket, sys\n"
        "def refuse(*a, **k): raise SystemExit('a socket was made at import')\n"
        "names = sys.argv[1:]\n"
        "import slack_bolt, slack_sdk, aiohttp, httpx, apscheduler, sqlite_utils, pydantic, structlog\n"
        "import jinja2, prometheus_client\n"
        "real = os.environ\n"
        "class Watched(dict):\n"
        "    def __getitem__(self, key): print('read', key); return super().__getitem__(key)\n"
        "    def get(self, key, default=None): print('read', key); return super().get(key, default)\n"
        "os.environ = Watched(real)\n"
        "socket.socket.connect = refuse; socket.socket.bind = refuse\n"
        "[importlib.import_module(name) for name in names]\n"
    )
    # The demo's downstream service is a program of its own, on libraries that bind a socket when they are imported.
    programs = ("bot.cli.__main__", "bot.demo.downstream")
    names = [name for name in imported() if name not in programs]

    result = subprocess.run([sys.executable, "-c", program, *names], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (0, "") == (result.returncode, result.stderr)
    assert [] == [line for line in result.stdout.splitlines() if "UNDERSTUDY" in line or "SLACK" in line]


def test_frozen_dataclasses_are_compiled_lazily() -> None:
    """`dataclasses` compiles six methods for each class while it loads; only those with slots need that."""
    wrong = []
    for name, _, tree in modules():
        usual = "dataclasses.dataclass" in imported()[name] and name != "bot.core.lazy_dataclass"
        made = [ast.unparse(d) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for d in node.decorator_list]
        if usual and made and all(one in ("dataclass(frozen=True)", "dataclass(frozen=True, kw_only=True)") for one in made):
            wrong.append(name)

    assert [] == wrong


ASSERTING = re.compile(r"assert_|expect$|pytest\.(raises|fail)$")  # `expect` is the browser's


def test_every_test_has_an_assert() -> None:
    """A test without one passes whatever happens."""
    silent = []
    for path in sorted(ROOT.glob("tests/**/test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                calls = [ast.unparse(call.func) for call in ast.walk(node) if isinstance(call, ast.Call)]
                if not any(isinstance(part, ast.Assert) for part in ast.walk(node)) and not any(map(ASSERTING.match, calls)):
                    silent.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}")

    assert [] == silent


@pytest.mark.parametrize("folder", ["bot/core"])
def test_rooms_with_a_rule_state_it(folder: str) -> None:
    """In at most ten lines, where it applies."""
    law = (ROOT / folder / "README.md").read_text(encoding="utf-8")

    assert len(law.splitlines()) <= 10
