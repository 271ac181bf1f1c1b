"""Whose ledger it is: the cluster's name, and its app in Slack.

Two clusters on one ledger would each run the other's incidents, in the other's workspace.
"""

from bot.ports import Ledger, Store
from bot.wiring.parts import StartRefused

NAME, SLACK = "cluster.name", "cluster.slack"
REMEDY = "Give each cluster a database of its own; where this one is meant, `understudy run --new-identity` takes it over"


async def require_name(ledger: Ledger, name: str) -> None:
    """Claim a ledger that has no name yet. Raises StartRefused if it is another cluster's."""
    held = await _held(ledger, NAME, name)
    if held != name:
        raise StartRefused(f"the database belongs to the cluster {held!r}, and this one is called {name!r}. {REMEDY}")


async def require_app(ledger: Ledger, app: str, words: str) -> None:
    """The same for the app in Slack, described by `words`. Raises StartRefused."""
    if await _held(ledger, SLACK, app) != app:
        sentence = f"the database belongs to another app in Slack than {words}"
        raise StartRefused(f"{sentence}. {REMEDY}")


async def forget_identity(ledger: Ledger) -> None:
    """Let the next start claim the ledger."""

    def work(store: Store) -> None:
        store.put_setting(NAME, "")
        store.put_setting(SLACK, "")

    await ledger.write(work)


async def _held(ledger: Ledger, setting: str, mine: str) -> str:
    def work(store: Store) -> str:
        if not (held := store.setting(setting)):
            store.put_setting(setting, mine)
        return held or mine

    return await ledger.write(work)
