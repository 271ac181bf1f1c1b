"""`understudy verify [INC-7]`: are the facts intact? Reads the ledger directly, whether or not a bot is running."""

import asyncio
from pathlib import Path

import click

from bot.cli.ledger.home import home_of
from bot.cli.options import config_option, data_option, fail, incident_number, json_option, shared
from bot.cli.output import note, print_json, print_text
from bot.core.lazy_dataclass import dataclass
from bot.ledger_care.audit import REMEDY_MISSING, missing_words, remedy
from bot.ports import Flaw
from bot.store.errors import StoreError
from bot.store.home import Home


@dataclass(frozen=True)
class Verification:
    """What was read, and what is not intact."""

    streams: int
    flaws: tuple[Flaw, ...]
    missing: int  # facts that are gone, from whatever stream
    missing_from: tuple[str, ...] = ()  # as far as the rest tells
    missing_words: str = ""

    @property
    def holds(self) -> bool:
        """Whether everything is intact."""
        return not self.flaws and not self.missing


@click.command()
@click.argument("reference", required=False)
@shared(config_option, data_option, json_option)
def verify(reference: str | None, config_path: Path, data_path: Path | None, as_json: bool) -> None:
    """Verify the hash chain of every stream of facts, or only of the streams behind one incident's timeline.

    Exit status 1 if a fact was edited or removed, or if a state does not follow from its facts.
    """
    number = incident_number(reference) if reference else None
    try:
        found = asyncio.run(_verified(home_of(config_path, data_path), number))
    except StoreError as error:
        fail(str(error))
    if number is not None and not found.streams:
        fail(f"There is no INC-{number}.")
    if as_json:
        _print_for_programs(found)
    else:
        _print_for_people(found)
    if not found.holds:
        raise SystemExit(1)


async def _verified(home: Home, number: int | None) -> Verification:
    ledger = home.open_read_only()
    try:
        streams = await ledger.read(lambda store: store.streams() if number is None else store.streams_about(number))
        # A snapshot for each, so that a long history does not delay the running bot's checkpoints.
        read = [await ledger.read(lambda store, stream=stream: store.examine(stream)) for stream in streams]  # type: ignore[misc] # bound early
        missing = await ledger.read(lambda store: store.missing()) if number is None else 0
        flaws = tuple(flaw for flaw in read if flaw)
        if not missing:
            return Verification(len(streams), flaws, 0)
        gone_from = await ledger.read(lambda store: store.missing_from())
        return Verification(len(streams), flaws, missing, gone_from, await missing_words(ledger))
    finally:
        await ledger.close()


def _print_for_people(found: Verification) -> None:
    for flaw in found.flaws:
        print_text(f"{flaw.sentence[0].upper()}{flaw.sentence[1:]}.")
    if found.holds:
        print_text(
            f"The facts of all {found.streams:,} streams hold." if found.streams != 1 else "The facts of the one stream hold."
        )
        return
    broken = [flaw.stream for flaw in found.flaws if not flaw.facts_hold]
    if broken:
        note(remedy(broken))
    elif found.missing:
        print_text(f"{found.missing_words}.")
        note(REMEDY_MISSING)
    if any(flaw.facts_hold for flaw in found.flaws):
        note("A state that does not follow from its facts is rebuilt from them when Understudy starts, and once a day.")


def _print_for_programs(found: Verification) -> None:
    flaws = [{"stream": flaw.stream, "what": flaw.sentence, "facts_hold": flaw.facts_hold} for flaw in found.flaws]
    missing = {"missing_facts": found.missing, "missing_from": list(found.missing_from)}
    print_json({"holds": found.holds, "streams": found.streams, "flaws": flaws, **missing})
