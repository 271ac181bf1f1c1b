"""Text for Slack: making foreign text safe, and formatting times, spans and people.

Everything written by others (vendors, people, error messages, flag keys) goes through `escape`, `foreign` or `quote` before it
is used in mrkdwn, and through `plain` before it is used in a plain_text object.
"""

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.core.effects import HERE
from bot.core.model import Actor, ActorKind
from bot.system.redaction import HIDDEN, TOKENS

MOST_MARKS = 4  # consecutive combining marks; no living script needs more, and fifty would cover the lines above
LONGEST_WORD = 24
FENCE = re.compile(r"`{3,}")
# Characters that Slack turns into bold, italic, strikethrough, code or emoji, and lookalikes that it leaves alone. They cannot
# be escaped. Inside a word `_` and `~` have no effect, so names can still be copied.
EDGE = r"(?<![^\W_]){0}|{0}(?![^\W_])"
EMOJI = r":(?=(?:[\w+'-]*[^\W\d][\w+'-]*|[+-]1|100|1234)(?::|$))"  # one of our own colons may follow
MARKS = re.compile(rf"[*`]|{EDGE.format('_')}|{EDGE.format('~')}")
COLON = re.compile(EMOJI)
LOOKALIKES = {"*": "∗", "`": "ˋ", "_": "ˍ", "~": "∼", ":": "∶"}
SLACK_USER = re.compile(r"[UW][A-Z0-9]{2,30}")
OUR_TIME = re.compile(r"&lt;!date\^(\d{1,11}\^(?:\{date_short_pretty\} )?\{time\}\|[\d: UTC-]{9,20})&gt;")
CHANNEL_REFERENCE = re.compile(r"&lt;#(C[A-Z0-9]{1,30})(?:\|[^&|]{0,80})?&gt;")
LABELLED = re.compile(r"<[^<>|@#]+\|([^<>]*)>")  # a date or link with its fallback text
DATE = "{date_short_pretty} {time}"


def clean(text: str) -> str:
    """Text without deceptive content: control, direction and zero-width characters, piles of accents, secrets."""
    if text.isascii() and text.isprintable():
        return TOKENS.sub(HIDDEN, text)  # ASCII needs nothing more; by far the most common case
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
    """At most `limit` characters, with `…` where text was cut off. Slack counts after unescaping, so cut first, then escape.

    Words are not split unless they are longer than any that people write.
    """
    if len(text) <= limit:
        return text
    kept = text[: limit - 1]
    if not text[limit - 1].isspace():
        gap = max(kept.rfind(" "), kept.rfind("\n"))
        kept = kept[:gap] if gap >= max(limit - LONGEST_WORD, 1) else kept
    return kept.rstrip() + "…"


def plain(text: str, limit: int = 3000) -> str:
    """One clean line of at most `limit` characters, unescaped: for plain_text objects, topics and titles."""
    # Text far beyond the limit cannot appear, and cleaning 40,000 characters takes time.
    return cut(" ".join(clean(text[: limit * 4 + 1000]).split()), limit)


def escape(text: str) -> str:
    """Clean text that mrkdwn shows literally: nothing in it can mention, link or open a code block."""
    fenced = FENCE.sub(lambda match: LOOKALIKES["`"] * len(match[0]), clean(text))
    return fenced.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unmarked(text: str) -> str:
    """The text with everything that Slack would format replaced by lookalikes."""
    text = MARKS.sub(lambda match: LOOKALIKES[match[0]], text)
    return COLON.sub(LOOKALIKES[":"], text)  # last, since the other lookalikes may be part of an emoji's name


def foreign(text: str, limit: int = 300) -> str:
    """One line of foreign text for mrkdwn, cut to `limit` characters; safe between our own markup."""
    return escape(unmarked(plain(text, limit)))


def quote(text: str, limit: int = 1200) -> str:
    """Foreign text as a block quote, keeping paragraphs, cut to `limit` characters."""
    lines = [" ".join(line.split()) for line in clean(text[: limit * 4 + 1000]).split("\n")]
    body = cut("\n".join(line for line in lines if line), limit)
    return "\n".join(f"> {escape(line)}" for line in body.split("\n"))


def stop(text: str) -> str:
    """The text with a full stop, unless it already ends with one (or with `!`, `?`, `…`)."""
    text = text.rstrip()
    return text if not text or text.endswith((".", "!", "?", "…")) else f"{text}."


def inert(text: str, limit: int = 3000) -> str:
    """Our own sentence: its markup, times and channel references work. Text by others in it must already be `unmarked`."""
    return OUR_TIME.sub(r"<!date^\1>", CHANNEL_REFERENCE.sub(r"<#\1>", escape(plain(text, limit))))


def retold(text: str, limit: int = 3000) -> str:
    """A reason by anybody: like `foreign`, but channel references work."""
    return CHANNEL_REFERENCE.sub(r"<#\1>", foreign(text, limit))


def code(text: str, limit: int = 120) -> str:
    """Something to type, or a key, in code style; backticks in it become lookalikes."""
    return f"`{escape(plain(text.replace('`', LOOKALIKES['`']), limit)) or ' '}`"


def link(url: str, label: str) -> str:
    """A link, or just the label if a browser should not open the address."""
    words = foreign(label, 150).replace("|", "/")
    return f"<{escape(url).replace('|', '%7C')}|{words}>" if is_web(url) else words


def is_web(url: str) -> bool:
    """Whether this is an http or https address without spaces, within Slack's length limit."""
    return bool(re.fullmatch(r"https?://[^\s<>]{1,1900}", url))


def when(at: datetime, format: str = DATE) -> str:
    """A time in each reader's own zone, for mrkdwn; clients that cannot show it use UTC."""
    return f"<!date^{int(at.timestamp())}^{format}|{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC>"


def clock(at: datetime, now: datetime) -> str:
    """Like `when` but short: only the time, with the date if `now` is on another day (in UTC)."""
    if at.astimezone(UTC).date() != now.astimezone(UTC).date():
        return when(at)
    return f"<!date^{int(at.timestamp())}^{{time}}|{utc(at)}>"


def spoken(text: str) -> str:
    """Finished mrkdwn for a notification: no markup, times in UTC, links as their labels. Mentions stay."""
    return LABELLED.sub(r"\1", text).replace("*", "")


def utc(at: datetime, now: datetime | None = None) -> str:
    """`12:43 UTC`, with the date if `now` is on another day; for notifications, topics and files."""
    at = at.astimezone(UTC)
    same_day = now is None or at.date() == now.astimezone(UTC).date()
    return f"{at:%H:%M} UTC" if same_day else f"{at:%Y-%m-%d %H:%M} UTC"


def local(at: datetime, zone: str, now: datetime | None = None) -> str:
    """`14:43 CET`: like `utc`, in a zone and with its name."""
    there = at.astimezone(ZoneInfo(zone))
    name = there.tzname() or zone
    name = zone if name[:1] in "+-" else name  # a zone without a short name has its offset here
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
    """A mention that notifies; ids come from the configuration and from Slack, never from a text."""
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
    """`1 update`, `2 updates`; `many` for irregular plurals."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def words(items: list[str], *, most: int = 5, last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`, `a, b and 4 more`."""
    shown = items if len(items) <= most else [*items[: most - 1], f"{len(items) - most + 1} more"]
    return f" {last} ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)
