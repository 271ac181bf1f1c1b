"""The verbs for when Slack is down, through the running bot: what they do, what they print, how they refuse."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from tests.cli.deployment import Deployment, Ended
from tests.house import FLAG

# A title that would paint, rename the window, and reorder what stands beside it.
HOSTILE = "Evil \x9b31mRED \u202etxet\u2066 [bold]loud[/bold] 👩‍💻 \u00e9"
OBEYED = re.compile(r"\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def assert_refused(ended: Ended, status: int, words: str) -> None:
    """One clear sentence on standard error, nothing on standard output."""
    assert (status, "") == (ended.status, ended.out), ended
    assert words in ended.err
    assert "Traceback" not in ended.err


async def test_incident_is_run_from_the_terminal(deployment: Deployment) -> None:
    """Every verb of an incident's life, with the name of who did it in the timeline, and in Slack as well."""
    bot = await deployment.ready_bot()
    await bot.sees("operational")  # else a first good look moves the phase on by itself
    deployment.env["LOGNAME"] = "carla"

    async def says(*args: str) -> str:
        ended = await deployment.verb("incident", *args)
        assert (0, "") == (ended.status, ended.err), args
        return ended.out.strip()

    assert "INC-1 is declared: Claude is slow" == await says("declare", "Claude is slow", "--component", "anthropic.api")
    assert "INC-1 is yours." == await says("ack", "INC-1")
    assert "Noted in the timeline of INC-1." == await says("note", "1", "support was told")
    assert "Update 1 of INC-1 is written." == await says("update", "inc-1", "we wait for the vendor")
    assert "INC-1 is now called “Chat is slow”." == await says("rename", "1", "Chat is slow")
    assert "Task 1 of INC-1, for carla: Call support" == await says("task", "1", "Call support", "me")
    assert "Follow-up 2 of INC-1, no owner yet: Write it up" == await says("followup", "1", "Write it up")
    assert "Task 2 of INC-1, for dora: Write it up" == await says("take", "1", "2", "dora")
    assert "Task 1 of INC-1 is done. 1 task left." == await says("done", "1", "1")
    assert re.search(r"2 +follow-up +dora +Write it up *\n1 +done +carla +Call support", await says("tasks", "1"))
    assert "INC-1 is SEV1 now." == await says("severity", "1", "SEV1")
    assert "INC-1 is SEV2 now." == await says("severity", "1", "SEV2", "one model only")
    assert "carla leads INC-1 now." == await says("role", "1", "commander", "me")
    assert "dora leads INC-1 now." == await says("role", "1", "commander", "dora")
    assert "INC-1 is identified now." == await says("phase", "1", "identified")
    assert "INC-1 is resolved now." == await says("resolve", "1", "vendor says so")
    assert "INC-1 is investigating now." == await says("reopen", "1")
    assert "INC-1" in await says("list")
    assert "INC-1 is canceled now." == await says("cancel", "1", "false-alarm")
    assert "No incident is open." == await says("list")
    shown, told = await says("show", "1"), await says("timeline", "1")

    assert "INC-1, SEV2, canceled" in shown
    assert "by carla" in shown
    assert re.search(r"lead +dora", shown)
    for words in ("support was told", "we wait for the vendor", "carla", "vendor says so", "dora leads INC-1"):
        assert words in told
    await deployment.quiet()
    screen = deployment.workspace.person("ana").sees()
    assert "Chat is slow" in screen
    assert "carla" in screen


async def test_the_timeline_is_corrected_from_the_terminal(deployment: Deployment) -> None:
    """By the number beside each note; what was said before stays on record, and what the bot said stays as it is."""
    await deployment.ready_bot()

    async def says(*args: str, status: int = 0) -> str:
        ended = await deployment.verb("incident", *args)
        assert status == ended.status, ended.err
        return (ended.out + ended.err).strip()

    await says("declare", "Chat is slow")
    await says("note", "1", "support was told")
    entry = re.search(r"(\d+) +\d{4}-\d\d-\d\d [\d:]+ +\S+ +Note: support was told", await says("timeline", "1"))
    assert entry is not None

    corrected = await says("correct", "1", entry[1], "support was told at noon", "--at", "2026-03-20T12:00")
    assert "Corrected in the timeline of INC-1. The exports keep the original too." == corrected
    assert re.search(rf"{entry[1]} +2026-03-20 12:00:00 .*Note: support was told at noon", await says("timeline", "1"))
    assert "Hidden from the timeline of INC-1. It stays on record." == await says("hide", "1", entry[1])
    assert "support was told" not in await says("timeline", "1")
    assert "It is back in the timeline of INC-1." == await says("hide", "1", entry[1], "--back")
    assert "has no such entry" in await says("correct", "1", "1", "it was declared by nobody", status=1)
    assert "entry is not a whole number." in await says("hide", "1", "first", status=1)


async def test_reminders_are_snoozed_from_the_terminal(deployment: Deployment) -> None:
    """For a while, never, and on again."""
    await deployment.ready_bot()

    async def says(*args: str) -> str:
        ended = await deployment.verb("incident", *args)
        assert (0, "") == (ended.status, ended.err), args
        return ended.out.strip()

    await says("declare", "Chat is slow")

    assert (await says("snooze", "1", "45m")).startswith("The next reminder of INC-1 comes at ")
    assert "Nobody is reminded of INC-1 until somebody writes an update." == await says("snooze", "1", "never")
    assert "Reminders of overdue updates are on again for INC-1." == await says("snooze", "1", "off")


async def test_what_is_over_is_declared_with_its_own_times(deployment: Deployment) -> None:
    """`--began` and `--ended`, in UTC or with a zone: it is resolved at once, and its durations count from then."""
    await deployment.ready_bot()
    began = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=3)
    ended = began + timedelta(minutes=90)
    there = ended.astimezone(timezone(timedelta(hours=2)))
    times = ("--began", f"{began:%Y-%m-%dT%H:%M}", "--ended", f"{there:%Y-%m-%dT%H:%M}+02:00")
    said = await deployment.verb("incident", "declare", "Mail was late", *times)
    shown = (await deployment.verb("incident", "show", "1", "--json")).json

    assert (0, "") == (said.status, said.err)
    assert "INC-1 is declared" in said.out
    assert ("resolved", began) == (shown["phase"], datetime.fromisoformat(shown["began_at"]))
    assert "1 h 30 min" in (await deployment.verb("export", "1", "--format", "md")).out


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (("--began", "lunch"), "is not a time"),
        (("--ended", "2020-03-20T14:00"), "when did it begin"),
        (("--began", "2020-03-20T14:00"), "more than 30 days ago"),
    ],
)
async def test_a_time_that_cannot_be_is_refused_in_the_terminal(
    deployment: Deployment, times: tuple[str, ...], words: str
) -> None:
    """What is no time, an end without a beginning, and what is too long ago."""
    await deployment.ready_bot()
    refused = await deployment.verb("incident", "declare", "Mail was late", *times)

    assert (True, "") == (refused.status != 0, refused.out)
    assert words in refused.err


async def test_programs_read_json(deployment: Deployment) -> None:
    """Each verb with --json prints one document and nothing else; exit statuses mean something."""
    await deployment.ready_bot()

    async def reads(*args: str, status: int = 0) -> object:
        ended = await deployment.verb(*args, "--json")
        assert status == ended.status, ended
        return ended.json

    async def text(*args: str) -> dict[str, object]:
        found = await reads(*args)
        assert isinstance(found, dict)
        return found

    assert (await text("incident", "declare", HOSTILE))["ok"]
    assert HOSTILE == (await text("incident", "show", "1"))["title"]
    assert 1 == len(json.loads(json.dumps((await text("incident", "list"))["incidents"])))
    assert (await text("incident", "timeline", "1"))["timeline"]
    assert (await text("flags", "engage", FLAG, "gpt", "--reason", HOSTILE))["changed"]
    assert (await text("flags", "list"))["flags"]
    deployment.vendor.answers = {"anthropic.api": 502}
    health = await deployment.verb("health", "--json")
    assert {"components", "providers", "incidents", "flags"} <= health.json.keys()


async def test_hostile_words_are_inert_in_the_terminal(deployment: Deployment) -> None:
    """No title, note or reason can paint, rename a window or turn the line around, in tables, sentences, JSON or errors."""
    await deployment.ready_bot()
    ended = [
        await deployment.verb(*args)
        for args in (
            ("incident", "declare", HOSTILE),
            ("incident", "note", "1", HOSTILE),
            ("flags", "engage", FLAG, "gpt", "--reason", HOSTILE),
            ("incident", "list"),
            ("incident", "list", "--json"),
            ("incident", "show", "1"),
            ("incident", "timeline", "1"),
            ("flags", "list"),
            ("export", "1", "--format", "md"),
            ("export", "1", "--format", "csv"),
            ("export", "1", "--format", "json"),
            ("incident", "show", HOSTILE),
            ("flags", "engage", HOSTILE, "--reason", "x"),
            ("export", HOSTILE),
        )
    ]

    assert [] == [repr(OBEYED.search(one.out + one.err)) for one in ended if OBEYED.search(one.out + one.err)]
    listed = ended[3].out
    assert "[bold]loud[/bold] 👩‍💻 é" in listed


async def test_health_says_how_things_are(deployment: Deployment) -> None:
    """Exit status 0 while all is well, 1 as soon as something is not, with the reason."""
    bot = await deployment.ready_bot()
    await bot.sees("operational")
    well = await deployment.verb("health")
    deployment.vendor.answers = {"anthropic.api": 502}
    await bot.sees("down", "anthropic.api")
    ill = await deployment.verb("health")

    assert (0, "") == (well.status, well.err)
    assert (1, "") == (ill.status, ill.err)
    assert re.search(r"anthropic\.api +down +\d{4}-\d\d-\d\d \d\d:\d\d +front: .*HTTP 502", ill.out)


async def test_health_says_why_nobody_is_alerted(deployment: Deployment) -> None:
    """What stands beside the verdicts comes as notes: programs read the table alone."""
    bot = await deployment.ready_bot()
    await bot.sees("operational")
    muted = await bot.asks("POST", "/api/v1/components/anthropic.api/mute", {"for": "2h", "reason": "load test"})
    assert 200 == muted.status, muted
    deployment.vendor.answers = {"anthropic.api": 502}
    await bot.sees("down", "anthropic.api")
    ill = await deployment.verb("health")

    assert re.search(r"note: anthropic\.api: muted until \d{4}-\d\d-\d\d \d\d:\d\d \(UTC\) by \S+ \(load test\)\n", ill.err), (
        ill
    )
    assert "note: anthropic.api: its alert is held back: muted by" in ill.err


async def test_flag_is_switched_and_handed_back(deployment: Deployment) -> None:
    """Engage, look, hand back, release; each read by the very next reader."""
    bot = await deployment.ready_bot()
    await bot.sees("operational")
    engaged = await deployment.verb("flags", "engage", FLAG, "--reason", "Claude is down", "--for", "2h")
    listed = await deployment.verb("flags", "list")

    assert f"{FLAG} serves gpt now. Undo: understudy flags release {FLAG} --reason REASON" == engaged.out.strip()
    assert re.search(rf"{FLAG} +gpt +Claude is down", listed.out)
    assert "gpt" == await bot.serves(FLAG)
    assert 0 == (await deployment.verb("flags", "step-back", FLAG)).status
    assert re.search(r"gpt +90 % ", (await deployment.verb("flags", "list")).out)
    assert 0 == (await deployment.verb("flags", "release", FLAG, "--reason", "well again")).status
    assert "claude" == await bot.serves(FLAG)


async def test_a_flag_is_steered_at_the_terminal(deployment: Deployment) -> None:
    """What would change, a share, a halt, an end, a pin and a freeze; the table shows them."""
    plan = await deployment.verb("flags", "plan", FLAG, "gpt", "--share", "25")
    assert f"To do it: understudy flags engage {FLAG} gpt --share 25 --reason REASON" in plan.out
    engaged = await deployment.verb("flags", "engage", FLAG, "gpt", "--scope", "env=eu", "--reason", "a try")
    assert f"understudy flags release {FLAG} --scope env=eu --reason REASON" in engaged.out
    assert re.search(r"support-chat.llm \(env=eu\) +gpt +a try", (await deployment.verb("flags", "list")).out)
    released = await deployment.verb("flags", "release", FLAG, "--scope", "env=eu", "--reason", "done", "--force")
    assert f"{FLAG} (env=eu) is back on claude, like all others." in released.out
    await deployment.verb("flags", "engage", FLAG, "gpt", "--share", "25", "--reason", "a try")
    assert f"50 % of {FLAG} gets gpt now" in (await deployment.verb("flags", "ramp", FLAG, "50%")).out
    assert "stays on its fallback until" in (await deployment.verb("flags", "extend", FLAG, "2h")).out
    held = await deployment.verb("flags", "hold", FLAG)
    assert (1, f"understudy flags resume {FLAG}") == (held.status, held.err.strip().partition("To continue: ")[2])
    await deployment.verb("flags", "pin", FLAG, "--reason", "we measure")
    await deployment.verb("flags", "freeze", "--reason", "the board lies")

    listed = (await deployment.verb("flags", "list")).out
    assert re.search(r"gpt +50 % +a try +pinned by ", listed)
    assert "Automation of flags is frozen by " in listed
    for verb in (("unpin", FLAG), ("thaw",)):
        assert 0 == (await deployment.verb("flags", *verb)).status


async def test_wrong_words_are_answered_in_one_sentence(deployment: Deployment) -> None:
    """What is wrong, what there is instead; exit status 1 from the bot, 2 from the command line itself."""
    bot = await deployment.ready_bot()
    await deployment.verb("incident", "declare", "Claude is slow")
    for args, status, words in (
        (("incident", "show", "INC-9"), 1, "There is no INC-9. The newest is INC-1."),
        (("incident", "show", "../flags"), 1, "'../flags' does not name an incident. Write INC-7 or 7."),
        (("incident", "note", "1/../1?x#y", "text"), 1, "does not name an incident"),
        (("incident", "show", ""), 1, ""),
        (("incident", "declare", " "), 1, "title is missing"),
        (("incident", "declare", "x", "--component", "anthropic.apy"), 1, "anthropic.api"),
        (("incident", "declare", "x", "--severity", "SEV9"), 1, "One of: SEV1, SEV2, SEV3, SEV4."),
        (("incident", "phase", "1", "better"), 1, "One of: triage, investigating"),
        (("incident", "cancel", "1", "bored"), 1, "One of: false-alarm"),
        (
            ("incident", "role", "1", "driver", "me"),
            1,
            "role is not one of the known values. One of: lead, comm",
        ),
        (("incident", "role", "1", "commander", "<@U0>"), 1, "to names nobody. Send me, none, a Slack user id"),
        (("incident", "note", "1", "bell\x07"), 1, "text holds control characters. Send plain text."),
        (("incident", "update", "1"), 2, "Missing argument 'TEXT'"),
        (("flags", "engage", "support-chat.lm", "--reason", "x"), 1, f"Did you mean {FLAG}?"),
        (("flags", "engage", "a/b?c#d", "--reason", "x"), 1, "There is no flag 'a/b?c#d'."),
        (("flags", "engage", FLAG, "clod", "--reason", "x"), 1, "It has: cached, claude, gpt."),
        (("flags", "engage", FLAG, "gpt"), 2, "Missing the reason"),
        (("flags", "engage", FLAG, "gpt", "--reason", "x", "--for", "2parsecs"), 1, "for: not a duration"),
        (("flags", "release", FLAG, "--reason", "x"), 1, ""),
        (("flags", "step-back", FLAG), 1, ""),
        (("flags", "ramp", FLAG, "50"), 1, "switch it first"),
        (("flags", "ramp", FLAG, "half"), 1, 'Send "share": 25, in percent from 1 to 100.'),
        (("flags", "extend", FLAG, "2h"), 1, "switch it first"),
        (("flags", "unpin", FLAG), 1, f"{FLAG} is not pinned."),
        (("flags", "thaw"), 1, "Automation of flags is not frozen."),
        (("export", "seven"), 2, "'seven' names no incident. Write INC-7 or 7."),
        (("export", "8"), 1, "There is no INC-8. The newest is INC-1."),
        (("export", "1", "--format", "pdf"), 2, "is not one of"),
    ):
        ended = await deployment.verb(*args)
        assert_refused(ended, status, words)
        assert ended.err.strip(), args
    assert "Traceback" not in bot.output


@pytest.mark.parametrize("verb", [("health",), ("incident", "declare", "x"), ("flags", "list"), ("export", "1"), ("doctor",)])
async def test_verb_says_what_is_missing_when_there_is_no_configuration(verb: tuple[str, ...], deployment: Deployment) -> None:
    """Nothing but an empty folder: one sentence that names the file or the ledger."""
    deployment.config.unlink()
    ended = await deployment.understudy(*verb)

    assert ended.status in (1, 2)
    assert "there is no ledger in data" in ended.err or "there is no such file" in ended.err
    assert "Traceback" not in ended.err
    assert [] == list(deployment.folder.glob("data/*"))


async def test_running_bot_is_reached_from_a_bare_shell(deployment: Deployment) -> None:
    """Neither the bot's keys nor a sound configuration file are needed to speak with a bot that runs."""
    made = deployment.settings()
    made["providers"]["anthropic"]["components"]["api"]["checks"][0]["headers"] = {"x-api-key": "${ANTHROPIC_API_KEY}"}
    made["server"]["read_tokens"] = ["${UNDERSTUDY_READ_TOKEN}"]
    deployment.configure(made)
    deployment.env |= {"ANTHROPIC_API_KEY": "sk-ant-canary-1", "UNDERSTUDY_READ_TOKEN": "read-canary-1"}
    await deployment.ready_bot()
    deployment.env.clear()
    bare = await deployment.understudy("incident", "declare", "Claude is down")
    deployment.config.write_text("providers: [what", encoding="utf-8")
    broken = await deployment.understudy("incident", "list")
    named = await deployment.understudy("incident", "list", "--data", str(deployment.data))
    deployment.config.unlink()
    without = await deployment.understudy("incident", "list")

    assert (0, "") == (bare.status, bare.err)
    assert 2 == broken.status
    assert "name its data folder with --data" in broken.err
    assert "Traceback" not in broken.err
    assert (0, True) == (named.status, "Claude is down" in named.out)
    assert (0, True) == (without.status, "Claude is down" in without.out)


async def test_resolving_asks_in_the_terminal_while_something_fails(deployment: Deployment) -> None:
    """A script is told of --yes, and nothing was changed; with it the incident ends."""
    await deployment.ready_bot()
    await deployment.verb("incident", "declare", "Claude is slow", "--component", "anthropic.api")
    await deployment.verb("flags", "engage", FLAG, "gpt", "--reason", "a test")
    asked = await deployment.verb("incident", "resolve", "1")
    program = await deployment.verb("incident", "resolve", "1", "--json")
    sure = await deployment.verb("incident", "resolve", "1", "over", "--yes")

    assert (1, "") == (asked.status, asked.out)
    assert asked.err.strip().endswith(
        "INC-1 is not over: support chat is still on gpt. Nothing was changed. Repeat it with --yes."
    )
    assert 1 == program.status
    assert (0, "INC-1 is resolved now.") == (sure.status, sure.out.strip())


async def test_declaring_points_to_what_is_open_in_the_terminal(deployment: Deployment) -> None:
    """No channel by its number, and both ways on as a terminal has them; each works."""
    await deployment.ready_bot()
    await deployment.verb("incident", "declare", "Claude is slow", "--component", "anthropic.api")
    pointed = await deployment.verb("incident", "declare", "Claude is broken")
    joined = await deployment.verb("incident", "join", "1")
    again = await deployment.verb("incident", "join", "1")
    separate = await deployment.verb("incident", "declare", "Claude is broken", "--separate")

    assert (1, "") == (pointed.status, pointed.out)
    ways = "Join it: understudy incident join 1. Or declare another one: --separate."
    assert pointed.err.strip().endswith(f": Claude is slow. {ways}")
    assert "<#" not in pointed.err + joined.out + again.err
    assert (0, True) == (joined.status, joined.out.startswith("You are in INC-1 now."))
    assert (1, True) == (again.status, "You are already in INC-1." in again.err)
    assert (0, "INC-2 is declared: Claude is broken") == (separate.status, separate.out.strip())
