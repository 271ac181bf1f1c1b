"""Names in messages: what a colleague would say, as long as it is unambiguous."""

from dataclasses import replace

import pytest

from bot.core.policy import FlagPolicy
from bot.views.names import flag_name, variant_name
from tests.stories import FLAG, story_policy


def test_flag_is_named_by_the_first_part_of_its_key() -> None:
    """Nobody says `support-chat.llm` aloud."""
    assert "support chat" == flag_name(FLAG, story_policy())


def test_flags_with_the_same_first_part_keep_their_whole_keys() -> None:
    """Two flags with one name would be confused."""
    policy = story_policy()
    twin = replace(policy.flags[FLAG], key="support-chat.embedding")

    assert f"`{FLAG}`" == flag_name(FLAG, replace(policy, flags={**policy.flags, twin.key: twin}))


@pytest.mark.parametrize(("variant", "called"), [("gpt", "GPT"), ("cached", "cached")])
def test_variant_is_named_by_its_alias(variant: str, called: str) -> None:
    """Without an alias, by its own name."""
    flag = FlagPolicy("f", {"gpt": 1, "cached": 2}, "gpt", aliases={"gpt": "GPT"})

    assert called == variant_name(flag, variant)
