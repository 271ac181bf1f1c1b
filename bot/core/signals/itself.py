"""Changes to the bot itself."""

from bot.core.lazy_dataclass import dataclass
from bot.core.signals.base import RULES, Role, Signal


@dataclass(frozen=True, kw_only=True)
class ConfigurationChanged(Signal, by=RULES | {Role.OPERATOR}):
    """A changed configuration was loaded: `keys` differ from before. With `refused` it was not loaded, and that says why."""

    changed: tuple[str, ...]
    refused: str = ""
