"""A track as stored, in JSON: written often while a check fails, so each sign is written only once; read back complete."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.codec import sparse
from bot.core.detection.detector import Track
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Sample

AHEAD = timedelta(days=1)  # clock error: a track this far ahead is dropped, while the detector corrects smaller errors
MOST_TEXTS = 5_000  # signs, of 500 failing checks; with more, all are written again
SIGNS = frozenset({"signs", "last"})  # fields that hold signs, in both gauges and in the judgement

compact = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True)
class StoredTrack:
    """A row as it is read. `under` identifies the settings and interval by which its doubts were counted.

    Signs are stored once, in `signs`, since most belong to both gauges, which refer to them by position.
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
        """Whether the watch can have written it: its signs exist, and it is less than a day in the future."""
        looked_at = self.track.looked_at
        places = [*self.failing, *self.slow, *([] if self.last is None else [self.last])]
        return all(0 <= n < len(self.signs) for n in places) and (looked_at is None or looked_at - now < AHEAD)

    def whole(self) -> Track:
        """The original track."""
        track = self.track
        if not self.signs:
            return track
        return replace(
            track, failing=replace(track.failing, signs=tuple(self.signs[n] for n in self.failing)),
            slow=replace(track.slow, signs=tuple(self.signs[n] for n in self.slow)),
            judgement=track.judgement if self.last is None else replace(track.judgement, last=self.signs[self.last]),
        )  # fmt: skip


class TrackWriter:
    """Writes rows. During a failure nine of ten signs are the same as in the last row, so their texts are kept."""

    def __init__(self, *, most_texts: int = MOST_TEXTS) -> None:
        self._most_texts = most_texts
        self._texts: dict[int, tuple[Sample, str]] = {}  # by identity, which is unique while the sign is held here

    def row(
        self, check: str, vantage: str, track: Track, *,
        under: str = "", heard_at: datetime | None = None, unseen: bool = False,
    ) -> str:  # fmt: skip
        """Text for `StoredTrack` to read."""
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
