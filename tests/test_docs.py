"""The docs match the code: laws, facts, commands; and every link and command in them works."""

import dataclasses
import json
import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import click
import pytest

from bot.checks.kinds import KINDS
from bot.config.checks.kinds import CHECK_MODELS
from bot.core.decide.phases import CANCEL_REASONS, LEGAL
from bot.core.model import Actor, Fault, FeedState, Level, Notice, Phase, Severity
from bot.core.record.fact import Fact
from bot.core.record.incident_facts import Declared
from bot.core.record.kinds import BODIES, decode_body
from bot.engine.engine import CommittingEngine
from bot.flags.board import FlagBoard
from bot.store.sqlite.ledgers import InlineLedger
from bot.system.clock import ManualClock
from bot.views.text import spoken
from commands.table import WORDS
from tests.desk import ANA, policy
from tests.test_house import FLOORS, THIRD_PARTIES, leans_on
from tests.transcripts import Transcript, comparable, play, transcripts

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", ROOT / "SECURITY.md", *sorted(DOCS.glob("*.md"))]

NOT_IN_THE_REPOSITORY = ("http://", "https://", "mailto:")


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def section(text: str, title: str) -> str:
    """The text below a heading, up to the next heading of the same or a higher level."""
    match = re.search(rf"^(#+) {re.escape(title)}\n(.*?)(?=^#{{1,6}} |\Z)", text, re.DOTALL | re.MULTILINE)
    assert match is not None, f"there is no heading {title!r}"
    return match[2]


def rows(text: str) -> list[list[str]]:
    """The cells of each table row, without heads and rules."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def first_cells(text: str) -> dict[str, list[str]]:
    """Rows by the word in backticks with which they begin."""
    return {cells[0].strip("`"): cells for cells in rows(text) if cells[0].startswith("`")}


# --- architecture


def legal_table() -> str:
    """LEGAL as a matrix from a row's phase to a column's."""
    head = "| from \\ to | " + " | ".join(there for there in Phase if any(to is there for _, to in LEGAL)) + " |"
    columns = [there for there in Phase if any(to is there for _, to in LEGAL)]
    lines = [head, "|---" * (len(columns) + 1) + "|"]
    for here in Phase:
        words = [LEGAL.get((here, there), "") for there in columns]
        lines.append(f"| **{here}** | " + " | ".join(words) + " |")
    return "\n".join(lines).replace("|  |", "| |").replace("|  |", "| |")


def floors_table() -> str:
    """FLOORS of tests/test_house.py, from the bottom up."""
    lines = ["| floor | rooms |", "|---|---|"]
    for floor in sorted(set(FLOORS.values())):
        lines.append(f"| {floor} | {' '.join(f'`{room}`' for room, at in FLOORS.items() if at == floor)} |")
    return "\n".join(lines)


def rooms_picture() -> str:
    """Which room imports which, without arrows that follow from others."""
    graph = {room: there - {"bot.app"} for room, there in leans_on().items() if room != "bot.app"}
    under: dict[str, set[str]] = {}
    for room in TopologicalSorter(graph).static_order():
        under[room] = graph[room].union(*(under[there] for there in graph[room]))
    lines = ["```mermaid", "flowchart TD"]
    for room in sorted(graph, key=lambda room: (-len(under[room]), room)):
        near = graph[room] - set().union(*(under[there] for there in graph[room]))
        lines += [f"    {room.removeprefix('bot.')} --> {there.removeprefix('bot.')}" for there in sorted(near)]
    return "\n".join([*lines, "```"])


def libraries_table() -> str:
    """THIRD_PARTIES of tests/test_house.py."""
    lines = ["| library | imported in |", "|---|---|"]
    lines += [f"| `{name}` | {' '.join(f'`{place}`' for place in places)} |" for name, places in THIRD_PARTIES.items()]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("mark", "made"),
    [("LEGAL", legal_table), ("FLOORS", floors_table), ("ROOMS", rooms_picture), ("LIBRARIES", libraries_table)],
    ids=["LEGAL", "FLOORS", "ROOMS", "LIBRARIES"],
)
def test_architecture_tables_match_the_code(mark: str, made: Any) -> None:
    """If this fails, put the expected table between the marks."""
    found = re.search(rf"<!-- {mark} -->\n(.*)\n<!-- /{mark} -->", page("architecture.md"), re.DOTALL)

    assert made() == (found[1] if found else "")


def test_architecture_lists_every_room() -> None:
    """And no room that was removed."""
    drawn = set(re.findall(r"`((?:bot|commands)[\w/.]*)`", section(page("architecture.md"), "Rooms")))
    built = {f"{path.parent.relative_to(ROOT)}/" for path in ROOT.glob("bot/*/*.py")} | {"commands/"}

    assert set() == built - drawn
    assert [] == [name for name in drawn if not (ROOT / name).exists()]


def test_architecture_names_every_reason_to_cancel() -> None:
    """The rules of phases are complete."""
    told = section(page("architecture.md"), "Phases")

    assert [] == [reason for reason in CANCEL_REASONS if f"`{reason}`" not in told]


# --- contributing


PLACES = rows(section((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), "Where a change goes"))[1:]


@pytest.mark.parametrize("row", PLACES, ids=[row[0] for row in PLACES])
def test_contributing_names_existing_places(row: list[str]) -> None:
    """Every place in its table exists."""
    places = [place for place in re.findall(r"`([\w./]+)`", row[1]) if "/" in place]

    assert places
    assert [] == [place for place in places if not (ROOT / place).exists()]


# Folder and registry, and which files of the folder are beside the matter.
REGISTRIES = {
    "bot/checks/llm/dialects/known.py": "shape sse",
    "bot/core/record/kinds.py": "fact incident standing flag component provider streams world layered recent",
    "bot/core/signals/__init__.py": "",
    "bot/timeline/rows.py": "durations story words",
    "bot/exports/__init__.py": "times",
    "commands/register.py": "desk helping listening messages table",
    "bot/cli/verbs.py": "__main__ options output remote shutdown",
    "bench/__main__.py": (
        "bare_server bot gateways_proxies gateways_vendor hostile_bot hostile_senders hostile_sockets many_bot past "
        "probe_worker probe_world report"
    ),
}

AS_WELL = {"commands/register.py": ("incident", "events")}  # folders in it that belong to the matter


@pytest.mark.parametrize("registry", REGISTRIES)
def test_registry_names_every_file_of_its_folder(registry: str) -> None:
    """An unregistered file does nothing; exceptions are listed by name."""
    path, others = ROOT / registry, set(REGISTRIES[registry].split())
    text = path.read_text(encoding="utf-8")
    folders = [path.parent, *(path.parent / one for one in AS_WELL.get(registry, ()))]
    files = {file.stem for folder in folders for file in folder.glob("*.py")} - {path.stem, "__init__"}

    assert others <= files
    assert [] == [file for file in sorted(files - others) if not re.search(rf"\b{file}\b", text)]


# What a change brought, by the name of its row: the words that only it uses, and files that use them for something else.
BROUGHT = {
    "a verb of an incident: `/incident rename`": (
        r"Rename|naming\.HANDLERS|TitleChanged|Renamed|CalledAlready|NoNewTitle|TitleTooLong|title_by_person",
        # the rule that names an incident while no person does; the demo, which tells of it; updates, which leave that rule out
        {"bot/core/decide/titles.py", "bot/demo/telling.py", "bot/views/incident/updates.py"},
    ),
    "a check type: `tls`": (r"TlsCheck|TlsProber", set[str]()),
}


@pytest.mark.parametrize("change", BROUGHT)
def test_contributing_counts_the_files_that_a_change_touches(change: str) -> None:
    """Contributors know what is ahead, and notice if it becomes more."""
    words, beside = BROUGHT[change]
    sources = {str(path.relative_to(ROOT)): path for top in ("bot", "commands") for path in (ROOT / top).rglob("*.py")}
    touched = {name for name, path in sources.items() if re.search(rf"\b({words})\b", path.read_text(encoding="utf-8"))}
    told = rows(section((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), "How many files that is"))
    row = next(cells for cells in told if cells[0] == change)

    assert set(re.findall(r"`([\w./]+\.py)`", row[2])) == touched - beside
    assert str(len(touched - beside)) == row[1]


def test_each_check_type_is_a_module_of_its_name() -> None:
    """Every configurable type is implemented, with its own model."""
    assert CHECK_MODELS == {word: kind.model for word, kind in KINDS.items()}


# --- facts

STREAMS = {"verdict": "component/ID", "advisory": "component/ID", "alert": "component/ID", "report": "component/ID",
           "mute": "component/ID", "feed": "provider/ID", "notice": "provider/ID", "sight": "sight", "automation": "automation",
           "incident": "incident/NUMBER", "flag": "flag/KEY", "configuration": "configuration",
           "sink": "sink/KEY/ID"}  # fmt: skip


@pytest.mark.parametrize("kind", BODIES)
def test_fact_is_documented_with_stream_version_and_fields(kind: str) -> None:
    """A reader of an old export finds each field, and no removed one."""
    body = BODIES[kind]
    text = page("facts.md")
    fields = {field.name for field in dataclasses.fields(body)}  # type: ignore[arg-type] # every body is a dataclass
    told = section(text, kind)
    before = text[: text.index(f"\n### {kind}\n")]

    assert fields == set(first_cells(told))
    assert f"Version {body.VERSION}." in told
    assert STREAMS[kind.partition(".")[0]] == re.findall(r"^## (\S+)$", before, re.MULTILINE)[-1]
    assert all(cells[1] and cells[2] for cells in first_cells(told).values())


def test_documented_facts_exist() -> None:
    """A renamed kind leaves the page."""
    assert set(BODIES) == {title for title in re.findall(r"^### (\S+)$", page("facts.md"), re.MULTILINE) if "." in title}


@pytest.mark.parametrize(("title", "kind"), [("What every fact has", Fact), ("actor", Actor), ("notice", Notice)])
def test_common_fields_of_facts_are_documented(title: str, kind: Any) -> None:
    """The envelope, the actor and the notice, field by field."""
    fields = {field.name for field in dataclasses.fields(kind)}
    of_the_row = {"kind", "version"} if kind is Fact else set()

    assert fields | of_the_row == set(first_cells(section(page("facts.md"), title)))


@pytest.mark.parametrize("values", [Level, Fault, Severity, Phase, FeedState], ids=lambda values: values.__name__)
def test_values_of_facts_are_documented(values: Any) -> None:
    """Every value of an enumerated field."""
    told = section(page("facts.md"), "Values")

    assert [] == [value for value in values if f"`{value}`" not in told]


def test_example_fact_can_be_read() -> None:
    """In its present version, with all its fields."""
    example = json.loads(re.findall(r"```json\n(.*?)```", page("facts.md"), re.DOTALL)[0])
    body = decode_body(example["kind"], example["version"], example["body"])

    assert isinstance(body, Declared)
    assert {field.name for field in dataclasses.fields(body)} == set(example["body"])
    assert {field.name for field in dataclasses.fields(Actor)} == set(example["actor"])
    assert {field.name for field in dataclasses.fields(Fact)} | {"kind", "version"} == set(example)


# --- commands


def examples(word: str) -> list[tuple[str, str]]:
    """What the page tells people to type, and the answer if it is quoted word for word."""
    found = []
    for cells in rows(section(page("commands.md"), word)):
        quoted = re.fullmatch(r"“(.*)”", cells[-1])
        if cells[0].startswith("`/"):
            found.append((cells[0].strip("`"), quoted[1] if quoted else ""))
    return found


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.word)
def test_every_slash_command_is_documented(word: Any) -> None:
    """The page and the command table have the same rows."""
    told = {typed.removeprefix(word.word).strip().partition(" ")[0] for typed, _ in examples(word.word)}
    known = {"claude" if verb.name == "PROVIDER" else verb.name for verb in word.verbs}

    assert known == told
    for cells in rows(section(page("commands.md"), word.word))[1:]:
        assert cells[1], cells[0]
        assert cells[2], cells[0]


def test_aliases_are_documented() -> None:
    """Unknown aliases are of no use."""
    from commands.incident.word import SHORT_FOR

    told = section(page("commands.md"), "/incident")

    assert [] == [f"`{short}`" for short, verb in SHORT_FOR.items() if short != verb and short and f"`{short}`" not in told]


async def test_typed_examples_get_the_documented_answer() -> None:
    """One after the other, in a workspace with six past incidents."""
    from bot.store.samples.sqlite import InlineSamples
    from commands.desk import CommandContext, Request
    from commands.drill import drill
    from commands.fallback import fallback
    from commands.health import health
    from commands.incident.converting import ExistingChannel
    from commands.incident.word import incident
    from commands.parsing.parse import Misunderstood, mentions
    from commands.parsing.parse import typed as typed_words
    from commands.understudy import understudy

    clock = ManualClock(datetime(2026, 3, 20, 12, 0, tzinfo=UTC))
    ledger = InlineLedger.open()
    engine = CommittingEngine(ledger, clock, policy(automation="off"))
    await engine.load()
    desk = CommandContext(engine, ledger, InlineSamples.open(), FlagBoard(clock), clock)
    said: list[str] = []
    ids = (f"docs/{n}" for n in range(1000))

    async def respond(*, text: str, **_: Any) -> None:
        said.append(text)

    async def no_form(view: dict[str, Any]) -> None:
        raise AssertionError(f"a form was opened: {view}")

    async def no_room() -> ExistingChannel:
        raise Misunderstood("The one example that needs a channel; two open incidents would change the answers after it.")

    async def types(typed: str) -> str:
        word, _, rest = typed.partition(" ")
        sent = rest.replace("@ana", f"<@{ANA.id}|ana>")  # as Slack sends it
        asked = Request(ANA, "C0OPS", next(ids), typed_words(sent), mentions=mentions(sent))
        match word:
            case "/health":
                await health(desk, asked, respond)
            case "/incident":
                await incident(desk, asked, respond, no_form, no_room)
            case "/fallback":
                await fallback(desk, asked, respond)
            case "/drill":
                await drill(desk, asked, respond)
            case "/understudy":
                await understudy(desk, asked, respond)
        return said[-1]

    for number in range(1, 7):
        await types(f"/incident declare Trouble {number}")
        await types("/incident cancel false-alarm")
    for word in WORDS:
        for typed, expected in examples(word.word):
            heard = await types(typed)
            assert "is not known" not in heard, typed
            assert not expected or expected == spoken(heard), typed


def test_every_button_is_documented() -> None:
    """Each action that the bot handles has a row, and nothing else has."""
    from commands.actions import ACTIONS
    from commands.events.home import ACTIONS as OF_HOME
    from commands.incident.declaring import BUTTON
    from commands.incident.tasks import VERBS
    from commands.incident.timeline import ACTIONS as OF_TIMELINES

    told = {cells[1].strip("`") for cells in rows(section(page("commands.md"), "Buttons and forms"))[1:]}

    own = {*OF_TIMELINES, *OF_HOME, *VERBS}
    assert all(ACTIONS.match(action) or BUTTON.match(action) or action in own for action in told)
    listened = set(re.findall(r"[a-z_]+(?=[|)])", ACTIONS.pattern.replace("incident\\.", "").replace("flag\\.", "")))
    listened |= {action.partition(".")[2] for action in own}
    assert listened | {"declare"} == {action.partition(".")[2] for action in told}


# --- terminal


def verbs(group: click.Group, path: str = "understudy") -> Iterator[tuple[str, click.Command]]:
    """Every command that can be run, by its words."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from verbs(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def terminal() -> dict[str, click.Command]:
    from bot.cli.verbs import main

    return dict(verbs(main))


def test_every_terminal_command_is_documented_with_arguments_and_options() -> None:
    """A row of the page has what `understudy --help` offers, option by option."""
    expected = {}
    for path, command in terminal().items():
        arguments = [p for p in command.params if isinstance(p, click.Argument)]
        words = [f"{p.name}".upper() if p.required else f"[{p.name}]".upper() for p in arguments]
        expected[" ".join([path, *words])] = {p.opts[0] for p in command.params if isinstance(p, click.Option)}
    told = first_cells(section(page("commands.md"), "Terminal"))

    assert set(expected) == set(told)
    assert expected == {usage: set(re.findall(r"`(--[\w-]+)`", cells[2])) for usage, cells in told.items()}


def test_every_export_format_is_documented() -> None:
    """The page names exactly the existing formats."""
    from bot.exports import FORMATS

    assert f"Exports come as {', '.join(f'`{name}`' for name in FORMATS[:-1])} and `{FORMATS[-1]}`." in page("commands.md")


# --- checks


def test_every_type_of_check_has_its_section() -> None:
    """On the page about checks."""
    assert set() == set(CHECK_MODELS) - set(re.findall(r"^## (\S+)$", page("checks.md"), re.MULTILINE))


# --- transcripts

RUNS = [(path, transcript) for path in PAGES for transcript in transcripts(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize(("path", "transcript"), RUNS, ids=[f"{path.name}: {run.steps[0][0]}" for path, run in RUNS])
async def test_transcripts_show_the_real_output(
    path: Path, transcript: Transcript, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where this fails, put into the page what was really printed."""
    monkeypatch.chdir(tmp_path)
    printed = await play(transcript, tmp_path)

    for (command, told), (_, said) in zip(transcript.steps, printed, strict=True):
        assert comparable(told, transcript.scene) == comparable(said, transcript.scene), f"$ {command}\n{said}"


def test_page_shows_runs_of_check_and_backtest() -> None:
    """One check run, the same for programs, and a replay."""
    shown = {command for _, run in RUNS for command, _ in run.steps}

    assert any(command == "understudy check --config examples/check.yaml" for command in shown)
    assert any(command.startswith("understudy check") and " --json" in command for command in shown)
    assert any(re.match(r"understudy backtest --config \S+ --trace examples/trace.csv", command) for command in shown)


# --- all pages

BLOCK = re.compile(r"^```console\n(.*?)^```", re.DOTALL | re.MULTILINE)


def commands_of(text: str) -> list[str]:
    """The commands that people are told to type, with continued lines joined."""
    lines = "".join(BLOCK.findall(text)).replace("\\\n", " ").splitlines()
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_examples_need_only_common_programs(path: Path) -> None:
    """Debian's smallest image has `date`; `openssl` is needed by the first steps anyway."""
    inner = set(re.findall(r"\$\((\w+)", path.read_text(encoding="utf-8")))

    assert {"date", "openssl"} >= inner


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_command_in_the_docs_exists(path: Path) -> None:
    """Commands with their options, and targets of make."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    text = path.read_text(encoding="utf-8")
    for line in commands_of(text):
        typed = line.rpartition(" -- ")[2]  # what kubectl runs in a pod; to other programs, our name is that of a thing
        for found in re.findall(r"(?:^|[ /])understudy ([^&|]*)", typed):
            if not typed.startswith(("docker", "helm", "kubectl")):
                assert _unknown(found) == [], line
        assert set(re.findall(r"\bmake ([a-z]+)", line)) <= targets, line
    assert set(re.findall(r"`make ([a-z]+)[^`]*`", text)) <= targets


def _unknown(words: str) -> list[str]:
    """What of `incident declare ... --severity SEV2` is no command or option of ours."""
    known = terminal()
    path = next((p for p in sorted(known, key=len, reverse=True) if f"understudy {words} ".startswith(f"{p} ")), None)
    if path is None:
        return [words]
    options = {option for param in known[path].params for option in param.opts}
    return [option for option in re.findall(r"(?<=\s)(--[\w-]+)", words) if option not in options]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_in_the_docs_works(path: Path) -> None:
    """To an existing file, and to a heading in it."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(NOT_IN_THE_REPOSITORY):
            continue
        name, _, anchor = target.partition("#")
        there = (path.parent / name).resolve() if name else path
        if not there.is_relative_to(ROOT) or not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(target)

    assert [] == broken


def anchors(path: Path) -> set[str]:
    """The headings of a page as links name them."""
    titles = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_page_is_linked_from_the_readme() -> None:
    """Directly or through other pages: nobody reads a page without links."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    reached = {ROOT / "README.md"}
    while more := {there for here in reached for there in _linked(here)} - reached:
        reached |= more

    assert readme
    assert set() == set(PAGES) - reached - {ROOT / "CHANGELOG.md"}


def _linked(path: Path) -> set[Path]:
    found = re.findall(r"\]\(([^)#\s]+\.md)", path.read_text(encoding="utf-8"))
    targets = {(path.parent / target).resolve() for target in found if not target.startswith(NOT_IN_THE_REPOSITORY)}
    return {target for target in targets if target.exists()}


def test_changelog_begins_with_the_present_version() -> None:
    """Its notes are at the top."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    versions = re.findall(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert project["version"] == versions[0]


def tables(text: str) -> Iterator[list[tuple[int, str]]]:
    """Each run of lines that begin with a bar, outside of code, with line numbers."""
    block: list[tuple[int, str]] = []
    fenced = False
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        fenced = fenced is not line.lstrip().startswith("```")
        if line.lstrip().startswith("|") and not fenced:
            block.append((number, line.strip()))
        elif block:
            yield block
            block = []


def malformed(text: str) -> Iterator[tuple[int, str]]:
    """Lines that a reader would not see as part of a table: without a head and a rule, or with another number of cells."""
    for table in tables(text):
        head = re.split(r"(?<!\\)\|", table[0][1].strip("|"))
        if len(table) < 3 or not re.fullmatch(r"\|(\s*:?-+:?\s*\|)+", table[1][1]):
            yield table[0]
            continue
        yield from ((n, line) for n, line in table if len(re.split(r"(?<!\\)\|", line[1:-1])) != len(head) or line[-1] != "|")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_table_is_well_formed(path: Path) -> None:
    """A blank line, a missing rule or a stray bar turns rows into prose."""
    assert [] == list(malformed(path.read_text(encoding="utf-8")))


def test_broken_tables_are_noticed() -> None:
    """One cut by a blank line, and one with a cell too many."""
    good = "| a | b |\n|---|---|\n| 1 | 2 |\n"

    assert [] == list(malformed(good))
    assert [(5, "| 3 | 4 |")] == list(malformed(f"{good}\n| 3 | 4 |\n"))
    assert [(4, "| 3 | 4 | 5 |")] == list(malformed(f"{good}| 3 | 4 | 5 |\n"))
