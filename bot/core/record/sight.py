"""What the facts of our own sight add up to: whether we see at all."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Sight:
    """Whether we are blind, why and since when.

    `ended_at` is when the last blindness ended: what was measured before says nothing of vendors. The rest is what
    `look_around` remembers from one look to the next; it is not written down.
    """

    blind: bool = False
    reason: str = ""
    began_at: datetime | None = None  # when the evidence starts
    ended_at: datetime | None = None
    notice: str = ""  # effect key of the notice that tells of it
    good_since: datetime | None = None  # while blind: since when nothing speaks for it
    controls_well_since: datetime | None = None
    onsets: Mapping[str, datetime] = field(default_factory=dict)  # control or provider -> since when it fails by network


CLEAR = Sight()
