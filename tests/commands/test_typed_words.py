"""Reading what people type out of what Slack makes of it."""

import pytest

from commands.parse import typed


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("ask <@U0ANA|ana> &amp; <@U0BOB>", "ask @ana & @U0BOB"),
        ("see <#C0OPS|ops> and <#C0SECRET|>", "see #ops and #a-private-channel"),
        ("&lt;!channel&gt; &amp;lt;", "<!channel> &lt;"),
        ("<!here> <!subteam^S0ONCALL|@oncall>", "@here @oncall"),
        ("<https://status.example/x?a=1&amp;b=2|status.example> <https://a.example>", "https://status.example/x?a=1&b=2 https://a.example"),
        ("<mailto:ana@example.com|ana@example.com>", "ana@example.com"),
        ("a < b > c and <not a token>", "a < b > c and <not a token>"),
    ],
)  # fmt: skip
def test_words_are_as_they_were_typed(sent: str, meant: str) -> None:
    """Mentions become names, links addresses, entities characters; nothing else changes."""
    assert meant == typed(sent)
