"""Text for Slack: foreign words made inert, times, spans, people.

Everything that somebody else wrote (vendors, people, error messages, flag keys) goes through `escape`, `foreign` or `quote`
before it stands in mrkdwn, and through `plain` before it stands in a plain_text object.
"""

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.core.effects import HERE
from bot.core.model import Actor, ActorKind
from bot.system.redaction import HIDDEN, TOKENS

MOST_MARKS = 4  # combining marks in a row; no living script needs more, and fifty of them cover the lines above
LONGEST_WORD = 24
FENCE = re.compile(r"`{3,}")
# What Slack makes bold, italic, struck out, code or an emoji of, and what looks like it and stays as it is. There is no escape
# for these. Inside of a word `_` and `~` mean nothing, so names can still be copied.
EDGE = r"(?<![^\W_]){0}|{0}(?![^\W_])"
EMOJI = r":(?=(?:[\w+'-]*[^\W\d][\w+'-]*|[+-]1|100|1234)(?::|$))"  # a colon of ours may follow
MARKS = re.compile(rf"[*`]|{EDGE.format('_')}|{EDGE.format('~')}")
COLON = re.compile(EMOJI)
LOOKALIKES = {"*": "∗", "`": "ˋ", "_": "ˍ", "~": "∼", ":": "∶"}
SLACK_USER = re.compile(r"[UW][A-Z0-9]{2,30}")
OUR_TIME = re.compile(r"&lt;!date\^(\d{1,11}\^(?:\{date_short_pretty\} )?\{time\}\|[\d: UTC-]{9,20})&gt;")
CHANNEL_REFERENCE = re.compile(r"&lt;#(C[A-Z0-9]{1,30})(?:\|[^&|]{0,80})?&gt;")
LABELLED = re.compile(r"<[^<>|@#]+\|([^<>]*)>")  # a date or a link, with what stands for it
DATE = "{date_short_pretty} {time}"


def clean(text: str) -> str:
    """Text without what plays tricks: control, direction and zero-width characters, piles of accents, secrets."""
    if text.isascii() and text.isprintable():
        return TOKENS.sub(HIDDEN, text)  # no trick to be played with these; by far the most of what comes here
    kept, marks = [], 0
    for char in text.replace("\r\n", "\n"):
        category = unicodedata.category(char)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if char in "\n\r\u2028\u2029":
            kept.append("\n")
        elif char == "\t":
            kept.append(" ")
        elif category not in ("Cc", "Cf", "Cs") and marks <= MOST_MARKS:
            kept.append(char)
    return TOKENS.sub(HIDDEN, "".join(kept))


def cut(text: str, limit: int) -> str:
    """At most `limit` characters; `…` stands for what was cut off. Slack counts after unescaping, so cut, then escape.

    A word is not cut in two unless it is longer than any that people write.
    """
    if len(text) <= limit:
        return text
    kept = text[: limit - 1]
    if not text[limit - 1].isspace():
        gap = max(kept.rfind(" "), kept.rfind("\n"))
        kept = kept[:gap] if gap >= max(limit - LONGEST_WORD, 1) else kept
    return kept.rstrip() + "…"


def plain(text: str, limit: int = 3000) -> str:
    """One clean line of at most `limit` characters, not escaped: for plain_text objects, topics and titles."""
    # What lies far behind the limit cannot show, and cleaning 40,000 characters of it takes time.
    return cut(" ".join(clean(text[: limit * 4 + 1000]).split()), limit)


def escape(text: str) -> str:
    """Clean text that mrkdwn shows as it is: nothing in it can mention, link or open a code block."""
    fenced = FENCE.sub(lambda match: LOOKALIKES["`"] * len(match[0]), clean(text))
    return fenced.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unmarked(text: str) -> str:
    """The text without anything that Slack draws otherwise than it is written: marks become what looks like them."""
    text = MARKS.sub(lambda match: LOOKALIKES[match[0]], text)
    return COLON.sub(LOOKALIKES[":"], text)  # after the others, whose lookalikes may stand in the name of an emoji


def foreign(text: str, limit: int = 300) -> str:
    """One line of somebody else's words for mrkdwn, cut to `limit` characters; it stands between our marks and breaks none."""
    return escape(unmarked(plain(text, limit)))


def quote(text: str, limit: int = 1200) -> str:
    """Somebody else's words as a block quote, paragraphs kept, cut to `limit` characters."""
    lines = [" ".join(line.split()) for line in clean(text[: limit * 4 + 1000]).split("\n")]
    body = cut("\n".join(line for line in lines if line), limit)
    return "\n".join(f"> {escape(line)}" for line in body.split("\n"))


def stop(text: str) -> str:
    """The text as a sentence: with a full stop unless it ends in one (or in `!`, `?`, `…`)."""
    text = text.rstrip()
    return text if not text or text.endswith((".", "!", "?", "…")) else f"{text}."


def inert(text: str, limit: int = 3000) -> str:
    """A sentence of our own: its marks, times and references to channels work. What others wrote is `unmarked` before."""
    return OUR_TIME.sub(r"<!date^\1>", CHANNEL_REFERENCE.sub(r"<#\1>", escape(plain(text, limit))))


def retold(text: str, limit: int = 3000) -> str:
    """A reason, whoever gave it: as `foreign`, but references to channels keep working."""
    return CHANNEL_REFERENCE.sub(r"<#\1>", foreign(text, limit))


def code(text: str, limit: int = 120) -> str:
    """Something to type or a key, in code style; backticks in it become what looks like them."""
    return f"`{escape(plain(text.replace('`', LOOKALIKES['`']), limit)) or ' '}`"


def link(url: str, label: str) -> str:
    """A link, or only the label where the address is none that a browser should open."""
    words = foreign(label, 150).replace("|", "/")
    return f"<{escape(url).replace('|', '%7C')}|{words}>" if is_web(url) else words


def is_web(url: str) -> bool:
    """Whether this is an http or https address without spaces, of a length that Slack takes."""
    return bool(re.fullmatch(r"https?://[^\s<>]{1,1900}", url))


def when(at: datetime, format: str = DATE) -> str:
    """A moment in each reader's own zone, for mrkdwn; clients that cannot show it say it in UTC."""
    return f"<!date^{int(at.timestamp())}^{format}|{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC>"


def clock(at: datetime, now: datetime) -> str:
    """A moment as `when` has it, short: the time alone, with the date where `now` is on another day (in UTC)."""
    if at.astimezone(UTC).date() != now.astimezone(UTC).date():
        return when(at)
    return f"<!date^{int(at.timestamp())}^{{time}}|{utc(at)}>"


def spoken(text: str) -> str:
    """Finished mrkdwn as a notification says it: no marks, times in UTC, links by their labels. Mentions stay."""
    return LABELLED.sub(r"\1", text).replace("*", "")


def utc(at: datetime, now: datetime | None = None) -> str:
    """`12:43 UTC`, with the date where `now` is on another day; for notifications, topics and files."""
    at = at.astimezone(UTC)
    same_day = now is None or at.date() == now.astimezone(UTC).date()
    return f"{at:%H:%M} UTC" if same_day else f"{at:%Y-%m-%d %H:%M} UTC"


def local(at: datetime, zone: str, now: datetime | None = None) -> str:
    """`14:43 CET`: as `utc`, in a zone and with its name."""
    there = at.astimezone(ZoneInfo(zone))
    name = there.tzname() or zone
    name = zone if name[:1] in "+-" else name  # a zone without a short name has its offset there
    same_day = now is None or there.date() == now.astimezone(ZoneInfo(zone)).date()
    return f"{there:%H:%M} {name}" if same_day else f"{there:%Y-%m-%d %H:%M} {name}"


def span(length: timedelta) -> str:
    """`45 s`, `41 min`, `4 h`, `4 h 02 min`, `2 d 03 h`; a minus before a negative one.

    Rounded, not cut: 44 min 57 s are `45 min`.
    """
    exact = abs(length).total_seconds()
    seconds = int(exact + 0.5)
    sign = "-" if length < timedelta(0) and seconds else ""
    if seconds < 60:
        return f"{sign}{seconds} s"
    minutes = int(exact / 60 + 0.5)
    if minutes < 60:
        return f"{sign}{minutes} min"
    if minutes < 24 * 60:
        return f"{sign}{minutes // 60} h" + (f" {minutes % 60:02d} min" if minutes % 60 else "")
    hours = int(exact / 3600 + 0.5)
    return f"{sign}{hours // 24} d" + (f" {hours % 24:02d} h" if hours % 24 else "")


def who(actor: Actor | None) -> str:
    """A person as a mention, anybody else by name; for mrkdwn."""
    if actor is None:
        return "nobody"
    if actor.kind is ActorKind.PERSON and SLACK_USER.fullmatch(actor.id):
        return f"<@{actor.id}>"
    return foreign(actor.name or actor.id, 80) or "somebody"


def mention(id: str) -> str:
    """Somebody as Slack wakes them; ids come from the configuration and from Slack, never from a text."""
    if id == HERE:
        return "<!here>"
    return f"<!subteam^{id}>" if id.startswith("S") else f"<@{id}>"


def by(actor: Actor | None) -> str:
    """Who did it, as a phrase: `by <@U1>`, `by the rule “expiry”`, `by ana at the terminal or API`."""
    if actor is None:
        return "by nobody"
    match actor.kind:
        case ActorKind.RULE:
            return f"by the rule “{who(actor)}”"
        case ActorKind.OPERATOR:
            return f"by {who(actor)} (terminal or API)"
        case ActorKind.VENDOR:
            return f"by the status page of {who(actor)}"
    return f"by {who(actor)}"


def how(actor: Actor | None) -> str:
    """Who did it, for brackets: `automatic`, `by <@U1>`, `by ana, terminal or API`, `by Claude's status page`."""
    if actor is None or actor.kind is ActorKind.RULE:
        return "automatic"
    match actor.kind:
        case ActorKind.OPERATOR:
            return f"by {who(actor)}, terminal or API"
        case ActorKind.VENDOR:
            return f"by {who(actor)}'s status page"
    return f"by {who(actor)}"


def capital(text: str) -> str:
    """The sentence with a capital at its beginning."""
    return text[:1].upper() + text[1:]


def count(number: int, one: str, many: str = "") -> str:
    """`1 update`, `2 updates`; `many` where an s does not do."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def words(items: list[str], *, most: int = 5, last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`, `a, b and 4 more`."""
    shown = items if len(items) <= most else [*items[: most - 1], f"{len(items) - most + 1} more"]
    return f" {last} ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)
