"""Signals that come twice, late, in another order, or against what a person decided."""

from dataclasses import replace
from datetime import timedelta

from bot.core import signals as s
from bot.core.detection.detector import NEW, Rule, observe
from bot.core.effects import EditCard, OpenThread, PostLine, ReplyInThread, To
from bot.core.model import Actor, Fault, FeedReport, FeedState, Level, Notice, Outcome, Phase, Sample, Verdict
from bot.core.policy import Fallback
from bot.core.record.flag_facts import HandBackAsked, Held
from bot.core.record.incident_facts import UpdateWritten
from bot.core.record.provider_facts import NoticeSeen
from bot.core.record.room.room_facts import GivenUp
from tests.desk import ANA, RULE, START, Table, policy, told

FLAG = "support-chat.llm"
VENDOR = Actor.vendor("anthropic")


def outage(table: Table | None = None) -> Table:
    table = (table or Table()).all_well()
    table.sees("anthropic.api", Level.DOWN)
    return table


def variant(table: Table) -> str:
    held = table.world.flag(FLAG).engagement
    return held.variant if held else "claude"


def post(
    update: str, minutes: float, *, status: str = "investigating", components: tuple[str, ...] = ("anthropic.api",)
) -> Notice:
    at = START + timedelta(minutes=minutes)
    return Notice("anthropic", "n1", update, "Errors", "We look", status, "major", at, components=components)


def page(table: Table, *notices: Notice) -> None:
    table.send(s.FeedRead(actor=VENDOR, report=FeedReport("anthropic", table.now, FeedState.FRESH, notices=notices)))


def heard(table: Table) -> list[str]:
    return [fact.body.notice.update for fact in table.facts if isinstance(fact.body, NoticeSeen)]


# --- what a person decided


def test_automation_stays_off_a_released_flag_until_the_default_recovers() -> None:
    """Released by force while down; degraded and down again is the same outage."""
    table = outage()
    table.send(s.ReleaseFlag(actor=ANA, flag=FLAG, force=True))
    table.passes(5)
    table.sees("anthropic.api", Level.DEGRADED)
    table.passes(5)
    table.sees("anthropic.api", Level.DOWN)

    assert "claude" == variant(table)


def test_rule_does_not_overrule_a_person_who_doubts_the_mitigation() -> None:
    """A phase set back to investigating stays until something new happens."""
    table = outage()
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.INVESTIGATING, reason="the fallback answers nonsense"))
    table.passes(5)

    assert Phase.INVESTIGATING == table.incident().phase


def test_approval_of_a_withdrawn_proposal_is_refused() -> None:
    """A button pressed hours later must not switch anything."""
    table = outage(Table(policy(automation="propose")))
    table.sees("anthropic.api", Level.OPERATIONAL)
    said = table.send(s.EngageFlag(actor=ANA, flag=FLAG, variant="gpt", approves=True)).answer

    assert not said.ok
    assert "claude" == variant(table)
    assert f"/fallback engage {FLAG} gpt" in told(said)


def test_declared_incident_without_failing_components_is_not_called_recovered() -> None:
    """People see what no check sees, so nothing recovered, and nothing resolves by itself."""
    base = policy()
    table = Table(replace(base, incidents=replace(base.incidents, resolve="auto"))).all_well()
    table.send(s.Declare(actor=ANA, title="Claude API answers nonsense", components=("anthropic.api",)))
    table.sees("anthropic.web", Level.UNKNOWN)
    table.sees("anthropic.web", Level.OPERATIONAL)
    table.passes(45)

    assert Phase.TRIAGE == table.incident().phase


# --- fallbacks


def test_unhealthy_fallback_is_left_although_the_default_is_well() -> None:
    """The hand-back waits for min_hold and a person; customers must not use a broken fallback meanwhile."""
    table = outage()
    table.passes(2)
    table.sees("anthropic.api", Level.OPERATIONAL)
    table.sees("openai.api", Level.DOWN)

    assert "cached" == variant(table)


def test_unhealthy_fallback_is_no_mitigation() -> None:
    """It serves nobody."""
    table = Table(policy(automation="off", fallbacks=(Fallback("gpt", "openai.api"),))).all_well()
    table.send(s.EngageFlag(actor=ANA, flag=FLAG, variant="gpt", reason="test"))
    table.sees("openai.api", Level.DOWN)
    table.sees("anthropic.api", Level.DOWN)

    assert Phase.TRIAGE == table.incident(2).phase


def test_unhealthy_fallback_is_reported_if_automation_only_proposes() -> None:
    """The bot may not switch, but says what it sees."""
    table = outage(Table(policy(automation="propose")))
    table.send(s.EngageFlag(actor=ANA, flag=FLAG, approves=True))
    table.sees("openai.api", Level.DOWN)
    table.passes(3)

    assert ["gpt", 1] == [variant(table), len(table.kinds(Held))]


def test_another_fallback_is_proposed_if_the_first_becomes_unhealthy() -> None:
    """Approving the first would be refused."""
    table = outage(Table(policy(automation="propose")))
    table.sees("openai.api", Level.DOWN)
    said = table.send(s.EngageFlag(actor=ANA, flag=FLAG, approves=True)).answer

    assert said.ok
    assert "cached" == variant(table)


def test_hand_back_is_requested_in_the_open_incident() -> None:
    """The flag was switched in an earlier one, whose channel nobody reads any more."""
    table = outage()
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, force=True))
    table.sees("anthropic.api", Level.OPERATIONAL)
    table.passes(3)
    table.sees("anthropic.api", Level.DOWN)
    table.sees("anthropic.api", Level.OPERATIONAL)
    table.passes(15)

    asked = [fact.incident for fact in table.facts if isinstance(fact.body, HandBackAsked)]
    assert [2] == asked


# --- quiet threads


def test_quiet_thread_gets_its_reply_although_it_is_not_posted_yet() -> None:
    """Slack is away for an hour: a degradation that ended meanwhile is posted with its end."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DEGRADED)
    table.sees("anthropic.api", Level.OPERATIONAL)

    roots = [effect.body.root for done in table.steps for effect in done.effects if isinstance(effect.body, ReplyInThread)]
    assert table.effects(OpenThread) == roots


def test_every_episode_has_its_own_quiet_thread() -> None:
    """A post that Slack accepted late must not swallow the next episode."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DEGRADED)
    key = table.effects(OpenThread)[0]
    table.sees("anthropic.api", Level.OPERATIONAL)
    table.send(s.EffectDone(actor=RULE, key=key, kind=OpenThread, incident=None, channel="C1", ts="1.1"))
    table.sees("anthropic.api", Level.DEGRADED)

    assert 2 == len(table.effects(OpenThread))


def test_worsening_is_posted_in_the_quiet_thread() -> None:
    """Degraded, then down, if both levels are quiet."""
    base = policy()
    api = replace(base.components["anthropic.api"], open_on={Level.DOWN: "thread", Level.DEGRADED: "thread"})
    table = Table(replace(base, components={**base.components, api.id: api})).all_well()
    table.sees("anthropic.api", Level.DEGRADED)
    table.sees("anthropic.api", Level.DOWN)

    assert 1 == len(table.effects(OpenThread))
    assert 1 == len(table.effects(ReplyInThread))


# --- the vendor's page


def test_deleted_vendor_update_does_not_repeat_older_ones() -> None:
    """The newest known one is gone from the page: only newer ones are news."""
    table = outage()
    posts = [post(f"u{n}", n) for n in range(1, 5)]
    page(table, *posts)
    page(table, *posts[:3])
    page(table, *posts[:3], post("u5", 9))

    assert ["u1", "u2", "u3", "u4", "u5"] == heard(table)


def test_vendor_update_after_our_resolution_is_posted() -> None:
    """Earlier ones are in the incident's channel, so there is no quiet thread to reply in."""
    table = outage()
    page(table, post("u1", 1))
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, force=True))
    page(table, post("u1", 1), post("u2", 2, status="resolved"))
    page(table, post("u1", 1), post("u2", 2, status="resolved"), post("u3", 3, status="postmortem"))

    assert ["quiet/notice/anthropic/n1"] == table.effects(OpenThread)
    assert 1 == len(table.effects(ReplyInThread))


def test_vendor_lag_counts_from_its_first_update() -> None:
    """It posted two before we saw anything."""
    table = Table().all_well()
    page(table, post("u1", 0))
    table.passes(10)
    page(table, post("u1", 0), post("u2", 10))
    table.passes(10)
    table.sees("anthropic.api", Level.DOWN)

    assert START == table.incident().vendor.first_at


# --- edits


def test_permanently_failing_edits_are_reported_once() -> None:
    """Somebody deleted the card, and every edit fails."""
    table = outage()
    for n in range(3):
        key = f"INC-1/card/incident/1/{n}"
        table.send(s.EffectRefused(actor=RULE, key=key, kind=EditCard, incident=1, reason="message_not_found"))

    said = {effect.key for done in table.steps for effect in done.effects if getattr(effect.body, "to", None) is To.OPS}
    assert 1 == len(said)


def test_lost_line_about_a_lost_line_is_not_reported() -> None:
    """If the ops channel accepts nothing, this would go on for ever."""
    table = outage()
    refused = s.EffectRefused(actor=RULE, key="given-up/INC-1/update/1", kind=PostLine, incident=1, reason="is_archived")
    step = table.send(refused)

    assert [GivenUp(PostLine.KIND, "given-up/INC-1/update/1", "is_archived")] == [fact.body for fact in step.facts]
    assert () == step.effects


# --- time


def test_updates_go_on_after_the_wall_clock_is_set_back() -> None:
    """An hour back must not cause two hours of silence."""
    table = outage()
    table.passes(70)
    before = len(table.kinds(UpdateWritten))
    table.now -= timedelta(hours=1)
    table.passes(61)

    assert 1 == before
    assert len(table.kinds(UpdateWritten)) >= 2


# --- whose fault


def sample(minute: int, fault: Fault, outcome: Outcome = Outcome.FAIL) -> Sample:
    return Sample("c", "anthropic.api", START + timedelta(minutes=minute), outcome, "x", fault, f"{fault}")


def test_one_odd_failure_does_not_change_the_fault() -> None:
    """A vendor in trouble answers 502, 502, 401, 502: the fault stays theirs."""
    rule, track, faults = Rule(), NEW, []
    for n, fault in enumerate([Fault.THEIRS, Fault.THEIRS, Fault.THEIRS, Fault.OURS_KEY, Fault.THEIRS, Fault.OURS_KEY]):
        track = observe(track, sample(n, fault), rule)
        faults.append(track.judgement.fault)

    assert [Fault.THEIRS] * 4 == faults[2:]


def test_hand_back_started_by_a_person_goes_on_by_itself() -> None:
    """After a switch by hand, or with automation off: only the first step is a person's."""
    table = Table(policy(automation="off")).all_well()
    table.send(s.EngageFlag(actor=ANA, flag=FLAG, variant="cached", reason="cost"))
    table.passes(11)
    table.send(s.StepBack(actor=ANA, flag=FLAG))
    table.passes(16)

    assert "claude" == variant(table)


def test_changed_fault_is_no_news_for_the_quiet_thread() -> None:
    """Theirs, then unclear: still degraded, and nothing is posted twice."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DEGRADED)
    verdict = Verdict("anthropic.api", Level.DEGRADED, "timeouts", Fault.UNCLEAR, (), table.now)
    table.send(s.VerdictReached(actor=RULE, verdict=verdict))
    table.sees("anthropic.api", Level.OPERATIONAL)

    assert 1 == len(table.effects(OpenThread))
    assert 1 == len(table.effects(ReplyInThread))


def test_notice_about_other_components_does_not_concern_the_incident() -> None:
    """Trouble with the vendor's console is not posted in the channel, and is not the first acknowledgement."""
    table = outage()
    page(table, replace(post("u1", 5, components=()), elsewhere=True))

    assert ["u1"] == heard(table)
    assert table.incident().vendor.first_at is None
    assert 0 == table.incident().vendor.words
