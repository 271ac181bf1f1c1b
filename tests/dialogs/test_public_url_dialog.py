"""A bot behind a proxy: links in Slack use the public address."""

from pathlib import Path

from tests.house import a_house


async def test_links_use_the_public_address(tmp_path: Path) -> None:
    """The bot listens on loopback, which nobody else can open."""
    server = {"listen": "127.0.0.1:0", "open_to_loopback": True, "public_url": "https://understudy.example.com/"}
    async with a_house(tmp_path, server=server) as house:
        await house.fails("anthropic.api")
        await house.quiet()
        bookmarks = house.workspace.channel(house.incident_channel).bookmarks

        assert ("Board", "https://understudy.example.com") in [(one.title, one.link) for one in bookmarks]
