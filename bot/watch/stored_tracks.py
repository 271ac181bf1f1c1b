"""A track as it is stored, in JSON: written often while a check fails, and so each of its signs only once; read back whole."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.codec import sparse
from bot.core.detection.detector import Track
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Sample

AHEAD = timedelta(days=1)  # of a clock that was set wrong and then right: less is made up for by the detector
MOST_TEXTS = 5_000  # signs, of 500 failing checks; beyond them all are written anew
SIGNS = frozenset({"signs", "last"})  # fields of a track, in both gauges and in the judgement, that hold signs

compact = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True)
class StoredTrack:
    """A row as it is read. `under` names the rule and the interval by which its doubts were counted.

    Its signs stand once in `signs`, for most of them speak in both of its gauges: the rest says which.
    """

    check: str
    vantage: str
    track: Track
    under: str = ""
    heard_at: datetime | None = None
    unseen: bool = False
    signs: tuple[Sample, ...] = ()
    failing: tuple[int, ...] = ()
    slow: tuple[int, ...] = ()
    last: int | None = None

    def is_sound(self, now: datetime) -> bool:
        """Whether the watch can have stored it: its signs are there, and it was no day ahead of the time that it is."""
        looked_at = self.track.looked_at
        places = [*self.failing, *self.slow, *([] if self.last is None else [self.last])]
        return all(0 <= n < len(self.signs) for n in places) and (looked_at is None or looked_at - now < AHEAD)

    def whole(self) -> Track:
        """The track as it was."""
        track = self.track
        if not self.signs:
            return track
        return replace(
            track, failing=replace(track.failing, signs=tuple(self.signs[n] for n in self.failing)),
            slow=replace(track.slow, signs=tuple(self.signs[n] for n in self.slow)),
            judgement=track.judgement if self.last is None else replace(track.judgement, last=self.signs[self.last]),
        )  # fmt: skip


class Pen:
    """Writes rows. A standing failure has nine of its ten signs in common with the row before, so their texts are kept."""

    def __init__(self, *, most_texts: int = MOST_TEXTS) -> None:
        self._most_texts = most_texts
        self._texts: dict[int, tuple[Sample, str]] = {}  # by identity, which is a sign's own while it is held here

    def row(
        self, check: str, vantage: str, track: Track, *,
        under: str = "", heard_at: datetime | None = None, unseen: bool = False,
    ) -> str:  # fmt: skip
        """What `StoredTrack` reads."""
        row = {"check": check, "vantage": vantage, "track": sparse(track, SIGNS), "under": under}
        if heard_at is not None:
            row["heard_at"] = heard_at.isoformat()
        if unseen:
            row["unseen"] = True
        failing, slow, last = track.failing.signs, track.slow.signs, track.judgement.last
        signs = {id(sign): sign for sign in (*failing, *slow, *([last] if last else []))}
        if not signs:
            return compact(row)
        place = {key: n for n, key in enumerate(signs)}
        where = f'"failing":{[place[id(sign)] for sign in failing]},"slow":{[place[id(sign)] for sign in slow]}'
        stands_for_all = f',"last":{place[id(last)]}' if last else ""
        texts = ",".join([self._text(sign) for sign in signs.values()])
        return f'{compact(row)[:-1]},{where}{stands_for_all},"signs":[{texts}]}}'

    def _text(self, sign: Sample) -> str:
        held = self._texts.get(id(sign))
        if held is None:
            if len(self._texts) >= self._most_texts:
                self._texts.clear()
            held = self._texts[id(sign)] = sign, compact(sparse(sign))
        return held[1]
