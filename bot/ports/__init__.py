"""The interfaces between the engine, the outbox, the watch and the faces, and everything outside.

Each protocol has a real adapter and a fake that pass the same contract tests (`tests/contracts/`).
"""

from bot.ports.chat import (
    ChannelGone,
    ChannelInfo,
    ChannelNameTaken,
    Chat,
    ChatError,
    Furnishing,
    GroupGone,
    Message,
    MessageGone,
    Place,
    PostedAt,
    Standing,
)
from bot.ports.engine import Engine
from bot.ports.ledger import (
    UNFINISHED,
    AlreadyHandled,
    Audited,
    Commit,
    Conflict,
    Fenced,
    Flaw,
    Ledger,
    Mark,
    NewFact,
    Old,
    OutboxRow,
    RowState,
    Settled,
    StateRow,
    Store,
    StoreError,
    StoreTrouble,
)
from bot.ports.outcomes import Outcomes
from bot.ports.outside import Admission, Called, Fetcher, Notifier, OnCall, OnDuty, Prober, Ticker
from bot.ports.performers import EffectError, Performed, Performer, Performers, Wait, together
from bot.ports.replicas import CLOCK, Fence, Introduction, Lease, LiveReplica, Member, PassedOn, Renewed, Replicas
from bot.ports.samples import LatencyPicture, Remembered, Samples

__all__ = [
    "CLOCK", "UNFINISHED", "Admission", "AlreadyHandled", "Audited", "Called", "ChannelGone", "ChannelInfo", "ChannelNameTaken",
    "Chat", "ChatError", "Commit", "Conflict", "EffectError", "Engine", "Fence", "Fenced", "Fetcher", "Flaw", "Furnishing",
    "GroupGone", "Introduction", "LatencyPicture", "Lease", "Ledger", "LiveReplica", "Mark", "Member", "Message", "MessageGone",
    "NewFact", "Notifier", "Old", "OnCall", "OnDuty", "OutboxRow", "Outcomes", "PassedOn", "Performed", "Performer",
    "Performers", "Place", "PostedAt", "Prober", "Remembered", "Renewed", "Replicas", "RowState", "Samples", "Settled",
    "Standing", "StateRow", "Store", "StoreError", "StoreTrouble", "Ticker", "Wait", "together",
]  # fmt: skip
