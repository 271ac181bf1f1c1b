"""Signals: something happened that may be recorded. One file per family; all are exported here."""

from bot.core.signals.base import *  # noqa: F403 # a new kind in a family needs no second line
from bot.core.signals.components import *  # noqa: F403 # a new kind in a family needs no second line
from bot.core.signals.drills import *  # noqa: F403 # a new kind in a family needs no second line
from bot.core.signals.entries import *  # noqa: F403 # a new kind in a family needs no second line
from bot.core.signals.flags import *  # noqa: F403 # a new kind in a family needs no second line
from bot.core.signals.incident import *  # noqa: F403 # a new kind in a family needs no second line
from bot.core.signals.itself import *  # noqa: F403 # a new kind in a family needs no second line
from bot.core.signals.machine import *  # noqa: F403 # a new kind in a family needs no second line
from bot.core.signals.outcomes import *  # noqa: F403 # a new kind in a family needs no second line
from bot.core.signals.rehearsals import *  # noqa: F403 # a new kind in a family needs no second line
from bot.core.signals.sinks import *  # noqa: F403 # a new kind in a family needs no second line
from bot.core.signals.tasks import *  # noqa: F403 # a new kind in a family needs no second line
