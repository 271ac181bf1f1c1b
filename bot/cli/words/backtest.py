"""The output of `understudy backtest`: a table for people, a document for programs."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.backtest.replay import Detection, Episode, OnRecord, Outcome, overlap, pair
from bot.cli.output import print_table, print_text
from bot.core.detection.detector import Condition
from bot.core.detection.reasons import span
from bot.core.model import Sample


def print_comparison(samples: Sequence[Sample], outcomes: Mapping[str, Outcome], incidents: Sequence[OnRecord] | None) -> None:
    """What each setting would have detected and when, side by side; why; and how that compares with the record."""
    checks = _count(len({sample.check for sample in samples}), "check")
    times = [sample.at for sample in samples]
    print_text(f"{len(samples):,} runs of {checks}, {_moment(min(times))} to {_moment(max(times))} UTC\n")
    columns = ["component", "first sign", *outcomes, *([] if incidents is None else ["on record"])]
    print_table(columns, _rows(outcomes, incidents), empty="Nothing would have been detected.")
    for name, outcome in outcomes.items():
        print_text(f"\n{name}: {_summary(outcome, incidents)}")
        for detection in (d for episode in outcome.episodes for d in episode.detections):
            print_text(f"  {detection.detected_at:%H:%M:%S} {detection.check}: {detection.reason} (until {_until(detection)})")


def _rows(outcomes: Mapping[str, Outcome], incidents: Sequence[OnRecord] | None) -> list[list[str]]:
    every = [outcome.episodes for outcome in outcomes.values()]
    pairs = pair(every[0], every[-1]) if len(every) > 1 else [(episode, None) for episode in every[0]]
    rows = []
    for cells in pairs:
        known = [episode for episode in cells if episode is not None]
        began = min(episode.began_at for episode in known)
        row = [known[0].component, _moment(began), *(_cell(cell, began) for cell in cells[: len(every)])]
        if incidents is not None:
            met = [i for i in incidents if any(overlap(episode, i) for episode in known)]
            row.append(", ".join(_recorded(i) for i in met) or "nothing")
        rows.append(row)
    for incident in incidents or ():
        if all(outcome.found[incident.name] is None for outcome in outcomes.values()):
            missed = ["not detected"] * len(outcomes)
            rows.append(
                [
                    ", ".join(incident.components),
                    _moment(incident.began_at),
                    *missed,
                    f"{incident.name} at {incident.detected_at:%H:%M:%S}",
                ]
            )
    return rows


def _recorded(incident: OnRecord) -> str:
    return f"{incident.name} at {incident.detected_at:%H:%M:%S}"


def _cell(episode: Episode | None, began: datetime) -> str:
    if episode is None:
        return "not detected"
    word = "failing" if episode.condition is Condition.FAILING else "slow"
    ours = ", by our own fault" if episode.ours else ""
    return f"{word} at {episode.first.detected_at:%H:%M:%S}, after {span(episode.first.detected_at - began)}{ours}"


def _until(detection: Detection) -> str:
    return f"{detection.ended_at:%H:%M:%S}" if detection.ended_at else "the end"


def _summary(outcome: Outcome, incidents: Sequence[OnRecord] | None) -> str:
    said = _count(len(outcome.episodes), "detection")
    if incidents is None:
        return f"{said}; there is no record of incidents to compare with (name it with --data)."
    if not incidents:
        none = "no incident is on record for this time"
        return f"{said}; {none}, so each would have been a false alarm or one that nobody recorded."
    found = {i: episode for i in incidents if (episode := outcome.found[i.name])}
    lags = ", ".join(f"{i.name} {_lag(episode.first.detected_at - i.detected_at)}" for i, episode in found.items())
    said += f"; {len(found)} of {_count(len(incidents), 'incident')} on record found" + (f" ({lags})" if lags else "")
    return f"{said}, {_count(len(outcome.false_alarms), 'false alarm')}."


def _lag(lag: timedelta) -> str:
    if abs(lag) < timedelta(seconds=1):
        return "at the same time"
    return f"{span(abs(lag))} {'later' if lag > timedelta(0) else 'earlier'}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


# --- for programs


def as_document(
    samples: Sequence[Sample], outcomes: Mapping[str, Outcome], incidents: Sequence[OnRecord] | None
) -> dict[str, Any]:
    """The same as a document; spans in seconds, negative if the replay is earlier than the record."""
    times = [sample.at for sample in samples]
    return {
        "runs": len(samples),
        "checks": sorted({sample.check for sample in samples}),
        "from": _iso(min(times)),
        "until": _iso(max(times)),
        "settings": [
            {
                "name": name,
                "detections": [_episode(e, e in outcome.false_alarms, incidents) for e in outcome.episodes],
                "incidents": [_incident(i, outcome.found[i.name]) for i in incidents or ()],
            }
            for name, outcome in outcomes.items()
        ],
    }


def _episode(episode: Episode, alarm: bool, incidents: Sequence[OnRecord] | None) -> dict[str, Any]:
    return {
        "component": episode.component,
        "condition": episode.condition.value,
        "began_at": _iso(episode.began_at),
        "detected_at": _iso(episode.first.detected_at),
        "ended_at": _iso(episode.ended_at),
        "after_s": (episode.first.detected_at - episode.began_at).total_seconds(),
        "ours": episode.ours,
        "false_alarm": alarm if incidents is not None else None,
        "checks": [{"check": d.check, "detected_at": _iso(d.detected_at), "reason": d.reason} for d in episode.detections],
    }


def _incident(incident: OnRecord, episode: Episode | None) -> dict[str, Any]:
    at = episode.first.detected_at if episode else None
    return {
        "incident": incident.name,
        "declared_at": _iso(incident.detected_at),
        "detected_at": _iso(at),
        "later_s": (at - incident.detected_at).total_seconds() if at else None,
    }


def _iso(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at else None
