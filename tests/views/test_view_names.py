"""What messages call things: words that a colleague would use, where they name one thing only."""

from dataclasses import replace

import pytest

from bot.core.policy import FlagPolicy
from bot.views.names import flag_name, variant_name
from tests.stories import FLAG, story_policy


def test_a_flag_is_called_by_the_first_part_of_its_key() -> None:
    """Nobody says `support-chat.llm` aloud."""
    assert "support chat" == flag_name(FLAG, story_policy())


def test_flags_that_begin_alike_are_called_by_their_whole_key() -> None:
    """Two things under one name would be read as one."""
    policy = story_policy()
    twin = replace(policy.flags[FLAG], key="support-chat.embedding")

    assert f"`{FLAG}`" == flag_name(FLAG, replace(policy, flags={**policy.flags, twin.key: twin}))


@pytest.mark.parametrize(("variant", "called"), [("gpt", "GPT"), ("cached", "cached")])
def test_a_variant_is_called_by_its_alias(variant: str, called: str) -> None:
    """And by its own name where the configuration has none."""
    flag = FlagPolicy("f", {"gpt": 1, "cached": 2}, "gpt", aliases={"gpt": "GPT"})

    assert called == variant_name(flag, variant)
