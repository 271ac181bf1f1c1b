"""Effects: what is to be done outside. A family is a file, and all of them are found here by name."""

from bot.core.effects.base import *  # noqa: F403 # a new kind in a family needs no second line
from bot.core.effects.broadcasts import *  # noqa: F403 # a new kind in a family needs no second line
from bot.core.effects.incident import *  # noqa: F403 # a new kind in a family needs no second line
from bot.core.effects.lines import *  # noqa: F403 # a new kind in a family needs no second line
from bot.core.effects.pages import *  # noqa: F403 # a new kind in a family needs no second line
from bot.core.effects.sinks import *  # noqa: F403 # a new kind in a family needs no second line
from bot.core.effects.tasks import *  # noqa: F403 # a new kind in a family needs no second line
