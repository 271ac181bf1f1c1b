"""From the file to the models: read, expand, merge presets, validate, and report all errors at once."""

from collections.abc import Iterator, Mapping
from pathlib import Path as File

from pydantic import ValidationError

from bot.config.models import Config
from bot.config.pending import pending_at, pending_reason
from bot.config.presets import apply_presets
from bot.config.reading.errors import ConfigErrors, Report
from bot.config.reading.expand import Expansion
from bot.config.reading.explain import explain
from bot.config.reading.files import NotRegularError, read_regular
from bot.config.reading.lines import MAX_BYTES, parse
from bot.config.reading.tree import (
    Entry,
    Map,
    Mark,
    Node,
    Scalar,
    Seq,
    child,
    items,
    plain,
    put,
    show_path,
    text,
    walk,
    with_values,
)
from bot.config.refs.cross import cross_check
from bot.core.ids import ComponentId
from bot.core.lazy_dataclass import dataclass

_WHOLE = Mark(0, 0)


@dataclass(frozen=True)
class OffCheck:
    """A check that does not run because its credential is empty. `component` is an id, `check` a name within it."""

    component: str
    check: str
    reason: str


@dataclass(frozen=True)
class PendingItem:
    """Something in the file that is not available yet."""

    path: str
    line: int
    what: str


@dataclass(frozen=True)
class Loaded:
    """A configuration, and what its author should know: warnings are sentences that begin with file, line and key."""

    config: Config
    warnings: tuple[str, ...] = ()
    off_checks: tuple[OffCheck, ...] = ()
    pending: tuple[PendingItem, ...] = ()


def load(path: File, environ: Mapping[str, str], lenient_credentials: bool = False) -> Loaded:
    """Read the configuration file, with `${VAR}` taken from `environ`.

    With `lenient_credentials`, a missing variable inside `slack` becomes an empty string and a warning, for commands that do
    not need Slack. Raises ConfigErrors with all errors in the file at once; a YAML syntax error is reported alone.
    """
    report = Report(str(path))
    root = _read(path, report)
    expansion = Expansion(environ, report, lenient=("slack",) if lenient_credentials else ())
    expanded = expansion.run(root)
    if not isinstance(expanded, Map):
        raise TypeError("a mapping stays a mapping when it is expanded")
    tree = _name_checks(apply_presets(expanded, report))
    cross_check(tree, report, lenient_credentials)
    config = _validate(tree, report)
    if report.errors or config is None:
        raise ConfigErrors(report.errors)
    config = config.with_found_secrets(frozenset(expansion.secrets))
    return Loaded(
        config=config,
        warnings=tuple(sentence for _, sentence in sorted(report.warnings)),
        off_checks=tuple(_off_checks(config, tree)),
        pending=tuple(_pending(tree)),
    )


def _read(path: File, report: Report) -> Map:
    root = parse(_text(path, report), report)
    if isinstance(root, Map):
        return root
    if not report.errors and (root is None or (isinstance(root, Scalar) and root.value is None)):
        report.error(_WHOLE, (), "the file is empty", "delete it; `understudy init` writes a new one")
    elif not report.errors and root is not None:
        report.error(root.mark, (), "the file does not hold a mapping", "write sections such as `slack:` and `providers:`")
    raise ConfigErrors(report.errors)


def _text(path: File, report: Report) -> str:
    try:
        data = read_regular(path, MAX_BYTES + 1)
        if len(data) <= MAX_BYTES:
            return data.decode("utf-8-sig")
        report.error(_WHOLE, (), "the file is too large", f"at most {MAX_BYTES} bytes")
    except FileNotFoundError:
        report.error(_WHOLE, (), "there is no such file", "`understudy init` writes one; `--config` names another")
    except NotRegularError:
        report.error(_WHOLE, (), "it is not a regular file", "name a file: a pipe or a device may never end")
    except OSError as error:
        report.error(_WHOLE, (), f"the file cannot be read: {error.strerror}", "name a file that the bot may read")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        report.error(Mark(line, 1), (), "the file is not UTF-8 text", "save it as UTF-8")
    raise ConfigErrors(report.errors)


def _name_checks(root: Map) -> Map:
    """Name checks without a name after their type, numbered from the second on: `http`, `http-2`."""

    def of_provider(provider: Entry) -> Node:
        return with_values(
            provider.value, lambda one: with_values(one.value, of_component) if one.key == "components" else one.value
        )

    def of_component(component: Entry) -> Node:
        return with_values(component.value, lambda one: _named(one.value) if one.key == "checks" else one.value)

    def of_root(section: Entry) -> Node:
        match section.key:
            case "providers":
                return with_values(section.value, of_provider)
            case "control_group":
                return _named(section.value)
            case _:
                return section.value

    return Map(tuple(Entry(one.key, one.mark, of_root(one)) for one in root.entries), root.mark)


def _named(checks: Node) -> Node:
    if not isinstance(checks, Seq):
        return checks
    taken = {text(child(check, "name")) for check in checks.items}
    named: list[Node] = []
    for check in checks.items:
        kind = text(child(check, "type"))
        if isinstance(check, Map) and kind and not _has_name(check):
            name, number = kind, 1
            while name in taken:
                number += 1
                name = f"{kind}-{number}"
            taken.add(name)
            check = put(check, "name", Scalar(name, check.mark))
        named.append(check)
    return Seq(tuple(named), checks.mark)


def _has_name(check: Map) -> bool:
    name = child(check, "name")
    return name is not None and text(name) != ""


def _validate(root: Map, report: Report) -> Config | None:
    try:
        return Config.model_validate(plain(root))
    except ValidationError as error:
        explain(error, Config, root, report)
        return None


def _off_checks(config: Config, root: Map) -> Iterator[OffCheck]:
    for placed in config.checks():
        what = placed.check.missing_credential
        if what is None:
            continue
        id = ComponentId(placed.component)
        checks = items(child(root, "providers", id.provider, "components", id.name, "checks"))
        node = next((check for check in checks if text(child(check, "name")) == placed.written), None)
        value = child(node, *what.split(".", 1))
        variables = value.variables if isinstance(value, Scalar) else ()
        remedy = f"set {' and '.join(variables)}" if variables else "give it a value"
        if (
            not variables
            and config.providers[id.provider].preset
            and not config.providers[id.provider].api_key.get_secret_value()
        ):
            remedy = "write `api_key` beside `preset`"
        yield OffCheck(placed.component, placed.name, f"{what} is empty: {remedy} to turn the check on")


def _pending(root: Map) -> Iterator[PendingItem]:
    for path, node in walk(root):
        if pending_at(path) and (sentence := pending_reason(path, plain(node))):
            yield PendingItem(show_path(path), node.mark.line, sentence)
