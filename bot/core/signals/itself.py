"""What becomes of the bot itself."""

from bot.core.lazy_dataclass import dataclass
from bot.core.signals.base import RULES, Role, Signal


@dataclass(frozen=True, kw_only=True)
class ConfigurationChanged(Signal, by=RULES | {Role.OPERATOR}):
    """Another configuration was taken over: these keys are not as before. With `refused` it could not be, and why."""

    changed: tuple[str, ...]
    refused: str = ""
