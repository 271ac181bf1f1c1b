"""Effects: actions to be carried out outside. One file per family; all are exported here."""

from bot.core.effects.base import *  # noqa: F403 # a new kind in a family needs no second line
from bot.core.effects.broadcasts import *  # noqa: F403 # a new kind in a family needs no second line
from bot.core.effects.incident import *  # noqa: F403 # a new kind in a family needs no second line
from bot.core.effects.lines import *  # noqa: F403 # a new kind in a family needs no second line
from bot.core.effects.pages import *  # noqa: F403 # a new kind in a family needs no second line
from bot.core.effects.sinks import *  # noqa: F403 # a new kind in a family needs no second line
from bot.core.effects.tasks import *  # noqa: F403 # a new kind in a family needs no second line
