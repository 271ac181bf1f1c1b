"""The command table: every slash command with its verbs and their help, and every shortcut.

Manifest, docs and help texts are checked against this table; a word missing here does not exist.
"""

from bot.core.lazy_dataclass import dataclass
from bot.verbs.incident import VERBS


@dataclass(frozen=True)
class Verb:
    """One thing to type after a slash command."""

    name: str
    usage: str
    does: str
    told_at: str = ""  # the verb whose help line covers this one; empty = it has its own


@dataclass(frozen=True)
class SlashCommand:
    """One slash command."""

    word: str
    summary: str
    hint: str
    verbs: tuple[Verb, ...]
    first: tuple[str, ...] = ()  # the most likely verbs, which help lists first

    @property
    def by_likelihood(self) -> list[Verb]:
        """The verbs, most likely first."""
        return sorted(self.verbs, key=lambda verb: self.first.index(verb.name) if verb.name in self.first else len(self.first))


@dataclass(frozen=True)
class ShortcutEntry:
    """An entry in Slack's shortcut menus: for a message (`of_message`), or global."""

    callback: str
    name: str  # at most 24 characters
    does: str  # at most 150
    of_message: bool = False


DECLARE_SHORTCUT = ShortcutEntry("declare_incident", "Declare incident", "Say that something is broken; a form opens")

DECLARE_FROM_MESSAGE = ShortcutEntry(
    "declare_from_message", "Declare from message", "Declare an incident that begins with the message", of_message=True
)

ADD_TO_TIMELINE = ShortcutEntry(
    "add_to_timeline", "Add to timeline", "Put the message into an incident's timeline", of_message=True
)

SHORTCUTS: tuple[ShortcutEntry, ...] = (DECLARE_SHORTCUT, DECLARE_FROM_MESSAGE, ADD_TO_TIMELINE)

HEALTH = SlashCommand(
    "/health",
    "Health of the providers, since when, and the evidence",
    "[provider]",
    (
        Verb("", "/health", "what is wrong, since when, is it us; then every component"),
        Verb("PROVIDER", "/health claude", "one provider with its evidence and latency, and buttons"),
        Verb("help", "/health help", "this text"),
    ),
)

INCIDENT = SlashCommand(
    "/incident",
    "Declare and run an incident",
    "declare TITLE | list | update TEXT | resolve | help",
    (
        Verb("declare", "/incident declare Claude API answers with errors", "open an incident; without a title a form opens"),
        Verb("convert", "/incident convert [TITLE]", "declare one, with this channel as its own"),
        Verb("list", "/incident list [all]", "the open incidents, or all of them"),
        Verb("show", "/incident show [INC-7]", "one incident as it stands"),
        Verb("brief", "/incident brief [INC-7]", "how it stands, in three lines"),
        *(Verb(verb.name, f"/incident {verb.name} {verb.usage}", verb.does, verb.told_at) for verb in VERBS),
        Verb("tasks", "/incident tasks [INC-7]", "list them; `task TEXT @ana in 30m` adds one"),
        Verb("timeline", "/incident timeline [INC-7]", "what happened so far"),
        Verb("export", "/incident export [INC-7] md|json|csv", "the timeline as a file in the incident's channel"),
        Verb("help", "/incident help", "this text"),
    ),
    first=("declare", "ack", "update"),
)

FALLBACK = SlashCommand(
    "/fallback",
    "See and switch fallback flags",
    "status | engage FLAG [VARIANT] REASON | release FLAG | rehearse FLAG | clients FLAG | help",
    (
        Verb("status", "/fallback status", "every flag: what it is on, since when, why, who reads it"),
        Verb(
            "engage",
            "/fallback engage FLAG [VARIANT] [25%] [force] [for 2h] [scope env=eu] [REASON]",
            "switch services to a fallback",
        ),
        Verb("release", "/fallback release FLAG [force] [REASON]", "switch back to the default at once"),
        Verb("rehearse", "/fallback rehearse FLAG", "test now whether its fallbacks do what services need"),
        Verb("clients", "/fallback clients FLAG", "who reads it, and who does not have its last switch yet"),
        Verb("approve", "/fallback approve FLAG", "say yes to what a rule proposes; `reject FLAG [REASON]` says no"),
        Verb("reject", "/fallback reject FLAG [REASON]", "say no to what a rule proposes", told_at="approve"),
        Verb("plan", "/fallback plan FLAG [VARIANT] [25%]", "what `engage` would do, and for whom; changes nothing"),
        Verb("ramp", "/fallback ramp FLAG 50% [force] [REASON]", "set the share on the fallback, up or down"),
        Verb("hold", "/fallback hold FLAG [REASON]", "stop switching back for now; `resume FLAG` continues"),
        Verb("resume", "/fallback resume FLAG", "go on switching back", told_at="hold"),
        Verb("extend", "/fallback extend FLAG 2h", "keep it on the fallback for longer"),
        Verb("pin", "/fallback pin FLAG [VARIANT] [REASON]", "no rule moves it any more; `unpin FLAG` ends that"),
        Verb("unpin", "/fallback unpin FLAG", "rules may move it again", told_at="pin"),
        Verb("freeze", "/fallback freeze [REASON]", "no rule moves any flag; rules only ask. `thaw` ends that"),
        Verb("thaw", "/fallback thaw", "rules may move flags again", told_at="freeze"),
        Verb("help", "/fallback help", "this text"),
    ),
    first=("status", "engage", "release"),
)

DRILL = SlashCommand(
    "/drill",
    "Rehearse an outage with people and services",
    "start COMPONENT [for 5m] [paging] [flag KEY] | stop | status | help",
    (
        Verb("start", "/drill start COMPONENT [for 5m] [paging] [flag KEY]", "pretend an outage, and open its incident"),
        Verb("stop", "/drill stop [INC-7]", "end the drill; its report comes in its channel"),
        Verb("status", "/drill status [INC-7]", "running drills and what is still missing, or the report of one"),
        Verb("help", "/drill help", "this text"),
    ),
    first=("start", "stop", "status"),
)

UNDERSTUDY = SlashCommand(
    "/understudy",
    "The bot itself: mutes, maintenance, reports",
    "mute COMPONENT for 1h | unmute COMPONENT | report COMPONENT TEXT | maintenance | about | help",
    (
        Verb("mute", "/understudy mute COMPONENT for 1h [REASON]", "no alerts about it for a while; its checks continue"),
        Verb("unmute", "/understudy unmute COMPONENT", "alerts again, at once if it fails"),
        Verb("report", "/understudy report COMPONENT TEXT", "say that it fails for you, and hear what our checks see"),
        Verb("maintenance", "/understudy maintenance", "our own windows, what vendors announced, what is muted"),
        Verb("about", "/understudy about", "version, vantage, checks, data, and what is wrong with the bot itself"),
        Verb("denied", "/understudy denied", "who was refused what; for admins"),
        Verb("help", "/understudy help", "this text"),
    ),
    first=("mute", "report", "about"),
)

WORDS: tuple[SlashCommand, ...] = (HEALTH, INCIDENT, FALLBACK, DRILL, UNDERSTUDY)


def words(prefix: str = "") -> list[tuple[str, str, str]]:
    """(slash command, description, usage hint) of every word; `prefix` turns `/health` into `/us-health`."""
    return [(f"/{prefix}{word.word[1:]}", word.summary, word.hint) for word in WORDS]
