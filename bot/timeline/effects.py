"""The results of our own effects as people read them: channel, posts, files."""

from collections.abc import Mapping

from bot.core.effects import (
    AddBookmarks,
    EditAlert,
    EditBroadcast,
    EditCard,
    EditEvidence,
    FeedSink,
    FindPeople,
    InvitePeople,
    OpenChannel,
    OpenThread,
    PageAddresses,
    PageMention,
    PagePerson,
    PinCard,
    PostAlert,
    PostBroadcast,
    PostCard,
    PostEvidence,
    PostLine,
    PostRefusal,
    PostRunbook,
    PostSummary,
    PostUpdate,
    RemindOwner,
    ReplyBroadcast,
    ReplyInThread,
    SetTopic,
    TellPerson,
    UploadExport,
)
from bot.core.record.fact import Fact
from bot.core.record.incident_facts import Exported
from bot.core.record.room.room_facts import (
    BroadcastBegun,
    ChannelNamed,
    ChannelOpened,
    ChannelRefused,
    GivenUp,
    PeopleInvited,
    Posted,
    PostGone,
    Repaired,
)

EFFECT_NAMES: dict[str, str] = {
    PostAlert.KIND: "the alert", EditAlert.KIND: "an edit of the alert", OpenChannel.KIND: "opening the channel",
    SetTopic.KIND: "the channel's topic", AddBookmarks.KIND: "the channel's bookmarks",
    InvitePeople.KIND: "inviting people into the channel", PostCard.KIND: "the status card",
    PostEvidence.KIND: "the evidence under the alert", EditEvidence.KIND: "an edit of the evidence",
    PinCard.KIND: "pinning the status card", EditCard.KIND: "an edit of the status card", PostRunbook.KIND: "the runbook",
    PostLine.KIND: "a line in the channel", PostUpdate.KIND: "an update", PostSummary.KIND: "the summary",
    UploadExport.KIND: "the timeline as a file", PostRefusal.KIND: "why there is no channel",
    OpenThread.KIND: "a quiet line in the ops channel", ReplyInThread.KIND: "a reply in a quiet thread",
    TellPerson.KIND: "a direct word to one person", PageMention.KIND: "a page in the alert's thread",
    FindPeople.KIND: "finding out who is on call", PagePerson.KIND: "a page by direct message",
    PageAddresses.KIND: "a page by notify", RemindOwner.KIND: "a reminder of a task",
    PostBroadcast.KIND: "the broadcast", EditBroadcast.KIND: "an edit of the broadcast",
    ReplyBroadcast.KIND: "a reply under the broadcast", FeedSink.KIND: "telling a sink",
}  # fmt: skip


def sentence(fact: Fact, names: Mapping[str, str]) -> str:
    """A fact about our own effects; empty for others."""
    match fact.body:
        case ChannelNamed() as b:
            return f"The channel will be #{b.name}" + (", since the name before was taken" if b.attempt > 1 else "")
        case ChannelOpened(converted=True, name=name):
            return f"#{name} is the channel of INC-{fact.incident} now"
        case ChannelOpened(name=name):
            return f"The channel #{name} is open"
        case ChannelRefused():
            return "There is no channel; the incident goes on in the thread of the alert"
        case PeopleInvited(people=people):
            return f"Invited into the channel: {', '.join(people)}"
        case BroadcastBegun(channel=channel):
            return f"Told in {channel} from now on"
        case Posted(what=what):
            return f"Posted: {EFFECT_NAMES.get(what, what)}"
        case PostGone() as b:
            then = "it is posted anew" if b.again else "it is not posted again"
            return f"Gone from Slack: {EFFECT_NAMES.get(b.what, b.what)}; {then}"
        case GivenUp(what=what):
            return f"Given up: {EFFECT_NAMES.get(what, what)}"
        case Repaired(pieces=pieces):
            return f"Repaired in Slack: {', '.join(pieces)}"
        case Exported() as b:
            return f"The timeline was exported as {b.format} to {b.where}"
    return ""
