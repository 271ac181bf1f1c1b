"""A reason is the last argument or `--reason`, with every verb of the terminal that takes one."""

import click
import pytest
from click.testing import CliRunner

from bot.cli.flags import flags
from bot.cli.incident import incident
from bot.cli.options import reason_taken

GIVEN = [(("we know why",), "we know why"), (("--reason", "we know why"), "we know why")]


@click.command()
@click.argument("key")
@reason_taken(needed=True)
def needs_one(key: str, reason: str) -> None:
    """Print what came."""
    click.echo(f"{key}: {reason}")


@pytest.mark.parametrize(("words", "reason"), GIVEN)
def test_either_way_of_giving_a_reason_is_taken(words: tuple[str, ...], reason: str) -> None:
    """Whoever knows one verb knows the others."""
    assert f"chat: {reason}\n" == CliRunner().invoke(needs_one, ["chat", *words]).output


@pytest.mark.parametrize("words", [(), ("one", "--reason", "another")])
def test_no_reason_and_two_are_refused(words: tuple[str, ...]) -> None:
    """As a wrong command: nothing is asked of the bot."""
    ended = CliRunner().invoke(needs_one, ["chat", *words])

    assert (2, True) == (ended.exit_code, "reason" in ended.output)


def test_no_verb_takes_it_in_one_way_only() -> None:
    """Of flags and of incidents."""
    took = {
        f"{group.name} {name}": {param.param_type_name for param in verb.params if param.name in ("reason", "given_reason")}
        for group in (flags, incident)
        for name, verb in group.commands.items()
    }

    assert [] == [name for name, ways in took.items() if len(ways) == 1]
    assert {"flags engage", "flags thaw", "incident resolve", "incident cancel"} <= {
        name for name, ways in took.items() if ways
    }
