"""Whether the running replicas are alike, and whether they use the configuration being examined."""

from collections.abc import Iterator, Sequence

from bot.cluster.differences import differences
from bot.config.models import Config
from bot.ports import LiveReplica, ReplicaInfo
from bot.system.version import understudy_version
from bot.views.text import count
from bot.wiring.cluster.alike import alike


def look_at_replicas(config: Config, live: Sequence[LiveReplica]) -> Iterator[tuple[str, str, str]]:
    """State, subject and sentence of each finding; none if no replica is alive."""
    if not live:
        return
    file = ReplicaInfo("this file", "doctor", version=understudy_version(), configuration=alike(config))
    names = ", ".join(one.says.name for one in live)
    yield "good", "replicas", f"{count(len(live), 'replica')} live: {names}"
    for sentence in differences(file, live):
        yield "note", "replicas", sentence
