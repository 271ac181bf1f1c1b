"""Breaks the rules on purpose, one small change at a time, and lists each change that no test sees. mutmut does the work.

    python -m tests.mutants [--minutes 30] [--jobs 2] [--ending 37] [FILE ...]

FILE is one of those that `[tool.mutmut]` in pyproject.toml takes in. Files that are named are run anew; without any, all that
was not yet run or changed since is, so that a run that was stopped, by the time or by Ctrl-C, goes on where it was: what
is done stays in `mutants/`. `--ending 37` takes an even sample of the files: the mutants whose number ends with 3 or 7.
Survivors that tests/survivors.md names with a reason are counted, the others printed as that page wants them. Ends with 1
where there are any.
"""

import argparse
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
KNOWN = ROOT / "tests" / "survivors.md"
MUTMUT = str(Path(sys.executable).with_name("mutmut"))
ENDS_WITHIN_S = 60.0
SEEN = frozenset({"killed", "timeout", "segfault", "caught by type check"})
WORDS = re.compile(r'"[^"]*"')
WORDS_WITHIN = re.compile(r"'[^']*'")  # quoted inside of an f-string
FIELDS = re.compile(r"\{([^{}]*)\}")


class Mutant(NamedTuple):
    """One change: the file, and the lines that it removes and adds, without indentation."""

    file: str
    old: tuple[str, ...]
    new: tuple[str, ...]

    @property
    def is_wording(self) -> bool:
        """Whether only a sentence reads differently: text with a space in it is read by people alone."""
        old, new = "\n".join(self.old), "\n".join(self.new)
        sentences = [one for one in WORDS.findall(old) if " " in one and one not in new]
        return bool(sentences) and _wordless(old) == _wordless(new)

    def __str__(self) -> str:
        return "\n".join([*(f"-{line}" for line in self.old), *(f"+{line}" for line in self.new)])


def _wordless(code: str) -> str:
    """The code without string contents; expressions in f-strings are code."""
    return WORDS.sub(lambda text: WORDS_WITHIN.sub("", " ".join(FIELDS.findall(text[0]))), code)


def known(text: str) -> Iterator[tuple[Mutant, str]]:
    """The mutants that a page lists, each with its reason: the text between the previous block and its own."""
    file, reason, lines = "", "", list[str]()
    fenced = False
    for line in text.splitlines():
        if line.startswith("```"):
            if fenced:
                yield from ((one, reason.strip()) for one in _mutants(file, lines))
                reason, lines = "", []
            fenced = not fenced
        elif fenced:
            lines.append(line)
        elif line.startswith("#"):
            file, reason = line.strip("# `"), ""
        else:
            reason += f"{line}\n"


def _mutants(file: str, lines: Sequence[str]) -> Iterator[Mutant]:
    for change in "\n".join(lines).split("\n\n"):
        yield _mutant(file, change.splitlines())


def _mutant(file: str, changed: Sequence[str]) -> Mutant:
    old, new = ([line[1:].strip() for line in changed if line.startswith(sign)] for sign in "-+")
    return Mutant(file, tuple(old), tuple(new))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", metavar="FILE")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--ending", default="", metavar="DIGITS")
    asked = parser.parse_args()
    if asked.ending and not asked.files:
        parser.error("--ending takes a sample of the files that are named: name some")
    modules = [_module(file) for file in asked.files]
    _run(patterns(modules, asked.ending), asked.minutes, asked.jobs)
    return _report(modules, asked.jobs)


def patterns(modules: Sequence[str], digits: str) -> list[str]:
    """The patterns for mutmut: all mutants of the modules, or those whose number ends with one of the digits."""
    return [f"{module}.*{digit}" for module in modules for digit in digits or [""]]


def _run(names: Sequence[str], minutes: float, jobs: int) -> None:
    """Let mutmut work until it is done or time is up; its results so far are on disk either way."""
    work = subprocess.Popen([MUTMUT, "run", "--max-children", str(jobs), *names], cwd=ROOT)
    try:
        work.wait(minutes * 60)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        print("\nstopping", flush=True)
        work.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            work.wait(ENDS_WITHIN_S)
    finally:
        if work.poll() is None:
            work.kill()


def _report(modules: Sequence[str], jobs: int) -> int:
    found = [(name, state) for name, state in _results() if not modules or _module_of(name) in modules]
    counts = Counter("seen" if state in SEEN else state for _, state in found)
    with ThreadPoolExecutor(jobs) as pool:
        left = set(pool.map(_shown, (name for name, state in found if state not in SEEN and state != "not checked")))
    named = {mutant for mutant, _ in known(KNOWN.read_text(encoding="utf-8"))}
    wording = {mutant for mutant in left - named if mutant.is_wording}
    news = sorted(left - named - wording)
    for file in dict.fromkeys(mutant.file for mutant in news):
        print(f"\n### {file}\n```diff")
        print(*(mutant for mutant in news if mutant.file == file), sep="\n\n")
        print("```")
    print(f"\n{len(found)} mutants: {', '.join(f'{count} {state}' for state, count in sorted(counts.items()))}.")
    held = f"{len(left & named)} have a reason in {KNOWN.relative_to(ROOT)}"
    print(f"{len(news)} survivors are new, {held}, {len(wording)} change a wording.")
    return 1 if news else 0


def _results() -> Iterator[tuple[str, str]]:
    told = subprocess.run([MUTMUT, "results", "--all", "true"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for line in told.splitlines():
        name, _, state = line.strip().partition(": ")
        if state:
            yield name, state


def _shown(name: str) -> Mutant:
    told = subprocess.run([MUTMUT, "show", name], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return _mutant(_file(_module_of(name)), [line for line in told.splitlines() if not line.startswith(("---", "+++"))])


def _module_of(name: str) -> str:
    """`bot.core.detection.gauge.x_turn__mutmut_1` is a mutant of `bot.core.detection.gauge`."""
    return name.rpartition(".")[0]


def _module(file: str) -> str:
    return file.removesuffix(".py").replace("/", ".")


def _file(module: str) -> str:
    return f"{module.replace('.', '/')}.py"


if __name__ == "__main__":
    sys.exit(main())
