"""What each kind of effect is, in Slack's terms: where it goes and what it looks like, rendered at the moment it is sent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.core import facts as f
from bot.core.cadence import next_update_at
from bot.core.effects import (
    AddBookmarks,
    EditAlert,
    EditCard,
    Effect,
    EffectBody,
    InOps,
    InvitePeople,
    OpenChannel,
    OpenThread,
    PinCard,
    PostAlert,
    PostCard,
    PostLine,
    PostRefusal,
    PostRunbook,
    PostSummary,
    PostUpdate,
    ReplyInThread,
    SetTopic,
    TellPerson,
    To,
    UploadExport,
)
from bot.core.model import Actor
from bot.core.signals import ChannelLost, EffectRefused, NameTaken, PostLost
from bot.core.state import Incident
from bot.exports import render
from bot.ops_channel import LOST, OpsChannel
from bot.ports import Chat, ChatError, Engine, Ledger, Message, OutboxRow, Performed, Place, PostedAt
from bot.redaction import Redactor
from bot.views import alert, card, incident_texts, lines, quiet, updates

# A channel of ours cannot be older than the first try to make it, give or take clocks that disagree.
CLOCK_SLACK = timedelta(minutes=1)

GONE = ("message_not_found", "thread_not_found", "cannot_reply_to_message")  # Slack's codes for a message that was deleted
OPS = Place("")  # the channel of alerts, whichever that is at the moment of sending


@dataclass(frozen=True)
class Surroundings:
    """What messages mention besides the facts."""

    board_url: str = ""
    invite: tuple[str, ...] = ()
    readers: Callable[[str], int] = lambda flag: 0
    redactor: Redactor | None = None  # of what files hold


class Delivery:
    """Performs effects through `Chat`; raises ChatError as the chat does, or with code `not_yet` when its turn has not come."""

    def __init__(
        self, chat: Chat, engine: Engine, ledger: Ledger, clock: Clock, around: Surroundings, ops: OpsChannel | None = None
    ) -> None:
        self._chat = chat
        policy = engine.policy.incidents
        self._ops = ops or OpsChannel(chat, clock, policy.alerts_channel, policy.backup_channel, lambda trouble: None)
        self._engine = engine
        self._ledger = ledger
        self._clock = clock
        self._around = around

    async def perform(self, effect: Effect, row: OutboxRow) -> Performed:
        """Carry the effect out."""
        await self._engine.caught_up()  # a row may be claimed before its own commit is shown
        match effect.body:
            case OpenChannel():
                return await self._open_channel(self._incident(effect), row)
            case SetTopic() | PinCard() | AddBookmarks() | InvitePeople():
                return await self._furnish(effect.body, self._incident(effect))
            case EditAlert() | EditCard():
                return await self._edit(effect.body, self._incident(effect))
            case UploadExport() as body:
                return await self._upload(body, effect)
            case TellPerson(user=user):
                message = await self._message(effect)
                at = await self._chat.tell(user, message, effect.key) if message else None
            case _:
                at = await self._post(effect)
        return Performed(at.channel, at.ts) if at else Performed()

    async def find(self, effect: Effect, row: OutboxRow) -> Performed | None:
        """Look for a post by its key, from a little before its first try on."""
        await self._engine.caught_up()
        since = (row.first_started_at or row.created_at) - CLOCK_SLACK
        place = await self._place(effect)
        if place is None:
            return Performed()
        at = await (self._ops.find_post(effect.key, since) if place == OPS else self._chat.find_post(place, effect.key, since))
        return Performed(at.channel, at.ts) if at else None

    # --- posts

    async def _post(self, effect: Effect) -> PostedAt | None:
        place, message = await self._place(effect), await self._message(effect)
        if place is None or message is None:
            return None
        if place == OPS:
            return await self._ops.post(message, effect.key)
        try:
            return await self._chat.post(place, message, effect.key)
        except ChatError as error:
            await self._if_lost(effect, place, error)
            raise

    async def _if_lost(self, effect: Effect, place: Place, error: ChatError) -> None:
        """Where the incident went on is gone: note it, so that the next try goes to where it goes on now."""
        incident = self._engine.world.incidents.get(effect.incident or 0)
        if incident is None:
            return
        if place.thread_ts and place.thread_ts == incident.alert_ts and error.code in (*LOST, *GONE):
            await self._lost_post(incident, PostAlert, error)
            raise ChatError(f"{error}; going on under the new alert", code="moved", permanent=False) from error
        if not place.thread_ts and place.channel == incident.channel and error.code in LOST:
            await self._lost_channel(incident, error)
            raise ChatError(f"{error}; going on in the thread of the alert", code="moved", permanent=False) from error

    async def _lost_channel(self, incident: Incident, error: ChatError) -> None:
        reason = f"#{incident.channel_name} takes no more posts: {LOST[error.code]} ({error.code})"
        await self._engine.handle(ChannelLost(actor=Actor.rule("outbox"), incident=incident.number, reason=reason))

    async def _lost_post(self, incident: Incident, what: type[PostAlert | PostCard], error: ChatError) -> None:
        ts = incident.alert_ts if what is PostAlert else incident.card_ts
        await self._engine.handle(
            PostLost(
                actor=Actor.rule("outbox"), id=f"lost/{incident.name}/{what.KIND}/{ts}", incident=incident.number, what=what,
                ts=ts, reason=str(error), with_channel=error.code in LOST,
            )
        )  # fmt: skip

    async def _place(self, effect: Effect) -> Place | None:
        """Where a post goes; None when there is nothing to answer to."""
        body = effect.body
        if isinstance(body, TellPerson):
            return Place(body.user)
        if isinstance(body, ReplyInThread):
            root = body.root
            row = await self._ledger.read(lambda store: store.outbox_row(root))
            if row is None or row.state in ("dead", "superseded"):
                return None
            if row.state != "done":
                raise ChatError(f"{root} is not posted yet", code="not_yet", permanent=False)
            return Place(row.result["channel"], row.result["ts"])
        ops = isinstance(body, PostAlert | InOps) or (isinstance(body, PostLine) and body.to is To.OPS)
        if ops or effect.incident is None:
            return OPS
        return await self._home(self._incident(effect))

    async def _home(self, incident: Incident) -> Place:
        """The incident's channel, else the thread of its alert; where that was given up too, the ops channel itself."""
        if incident.channel:
            return Place(incident.channel)
        if incident.alert_ts:
            return Place(incident.alert_channel_id, incident.alert_ts)
        given_up = {x.body.what for x in await self._facts(incident) if isinstance(x.body, f.GivenUp)}
        if PostAlert.KIND in given_up or incident.alerts_gone > 1:
            return OPS
        raise ChatError(f"the alert of {incident.name} is not posted yet", code="not_yet", permanent=False)

    async def _message(self, effect: Effect) -> Message | None:
        world, policy, now = self._engine.world, self._engine.policy, self._clock.now()
        if isinstance(effect.body, OpenThread | ReplyInThread):
            fact = await self._fact(effect)
            say = quiet.quiet if isinstance(effect.body, OpenThread) else quiet.quiet_reply
            return say(fact, world, policy)
        if isinstance(effect.body, PostLine):
            return lines.fact_line(await self._fact(effect), world, policy)
        incident = self._incident(effect)
        match effect.body:
            case PostAlert():
                return alert.alert(incident, world, policy, now, board_url=self._around.board_url)
            case PostCard():
                return card.card(incident, world, policy, now)
            case PostRunbook():
                return card.runbook(incident, policy)
            case PostRefusal() | TellPerson():
                return incident_texts.refusal(incident, incident.channel_refused, policy)
            case PostSummary():
                return updates.summary(incident, await self._facts(incident), world, policy)
            case PostUpdate() as body:
                return await self._update(body, effect, incident, now)
        raise ValueError(f"{effect.kind} is not a message")

    async def _update(self, body: PostUpdate, effect: Effect, incident: Incident, now: datetime) -> Message:
        fact = await self._fact(effect)
        if not isinstance(fact.body, f.UpdateWritten):
            raise ValueError(f"{effect.key} speaks of a {fact.kind}")
        everything = await self._facts(incident)
        unsent = _unsent_before(fact.body.slot, incident.name, everything)
        facts = [x for x in everything if body.since < x.at]  # up to the moment of sending, as the state is
        policy = self._engine.policy
        return updates.update(
            incident, self._engine.world, policy, fact.at, slot=fact.body.slot, text=fact.body.text,
            missed=fact.body.missed + unsent, since_facts=facts, next_update_at=next_update_at(incident, policy.incidents),
            readers={flag: self._around.readers(flag) for flag in policy.flags}, author=fact.actor,
        )  # fmt: skip

    async def _fact(self, effect: Effect) -> f.Fact:
        facts = await self._ledger.read(lambda store: store.facts(effect.stream, effect.seq - 1))
        return facts[0]

    async def _facts(self, incident: Incident) -> list[f.Fact]:
        return await self._ledger.read(lambda store: store.facts_about(incident.number))

    def _incident(self, effect: Effect) -> Incident:
        if effect.incident is None:
            raise ValueError(f"{effect.key} names no incident")
        return self._engine.world.incidents[effect.incident]

    # --- edits in place

    async def _edit(self, body: EffectBody, incident: Incident) -> Performed:
        world, policy, now = self._engine.world, self._engine.policy, self._clock.now()
        if isinstance(body, EditAlert):
            at = PostedAt(incident.alert_channel_id, incident.alert_ts)
            message = alert.alert(incident, world, policy, now, board_url=self._around.board_url)
        else:
            at = PostedAt(incident.card_channel_id, incident.card_ts)
            message = card.card(incident, world, policy, now)
        # A message that was given up has nothing to edit, and a card in a channel that was lost is out of reach.
        if at.ts and (isinstance(body, EditAlert) or at.channel == (incident.channel or incident.alert_channel_id)):
            await self._edit_or_note(body, incident, at, message)
        return Performed()

    async def _edit_or_note(self, body: EffectBody, incident: Incident, at: PostedAt, message: Message) -> None:
        try:
            await self._chat.edit(at, message)
        except ChatError as error:
            if error.code not in (*LOST, *GONE):
                raise
            if isinstance(body, EditCard) and error.code in LOST and at.channel == incident.channel:
                await self._lost_channel(incident, error)
            else:
                await self._lost_post(incident, PostAlert if isinstance(body, EditAlert) else PostCard, error)

    # --- the channel

    async def _open_channel(self, incident: Incident, row: OutboxRow) -> Performed:
        """Create it under the name in the ledger; one that exists is taken only if we made it, in these very tries."""
        name = incident.channel_name
        try:
            made = await self._chat.create_channel(name, self._engine.policy.incidents.private)
            return Performed(made.id, name=made.name)
        except ChatError as error:
            # An earlier try may have made it although this one is refused.
            if error.code != "name_taken" and not (error.permanent and row.attempt > 1):
                raise
            refusal = error
        found = await self._our_channel(name, row)
        if found is not None:
            return found
        if refusal.code != "name_taken":
            raise refusal
        await self._engine.handle(NameTaken(actor=Actor.rule("outbox"), incident=incident.number, name=name))
        raise ChatError(f"#{name} belongs to somebody else; trying the next name", code="next_name", permanent=False)

    async def _our_channel(self, name: str, row: OutboxRow) -> Performed | None:
        first_try = row.first_started_at or self._clock.now()
        for channel in await self._chat.own_channels():
            ours = channel.creator == self._chat.me and channel.created_at >= first_try - CLOCK_SLACK
            if channel.name == name and ours and not channel.is_archived:
                return Performed(channel.id, name=channel.name)
        return None

    async def _furnish(self, body: EffectBody, incident: Incident) -> Performed:
        policy = self._engine.policy
        if not incident.channel:  # in a thread there is nothing to furnish
            return Performed()
        match body:
            case SetTopic():
                topic = card.topic(incident, policy, next_update_at(incident, policy.incidents))
                await self._chat.set_topic(incident.channel, topic)
            case PinCard() if incident.card_ts:
                await self._chat.pin(PostedAt(incident.card_channel_id, incident.card_ts))
            case AddBookmarks():
                for title, link in card.bookmarks(incident, policy, board_url=self._around.board_url):
                    await self._chat.bookmark(incident.channel, title, link)
            case InvitePeople():
                await self._invite(incident)
        return Performed()

    async def _invite(self, incident: Incident) -> None:
        wanted = list(self._around.invite)
        for person in (incident.declared_by, incident.acknowledged_by, *incident.responders):
            if person and person.kind == "person" and person.id not in wanted:
                wanted.append(person.id)
        problems = await self._chat.invite(incident.channel, wanted) if wanted else []
        if problems:
            key = f"{incident.name}/invite"
            await self._engine.handle(
                EffectRefused(
                    actor=Actor.rule("outbox"), id=f"refused/{key}", key=key, kind=InvitePeople,
                    incident=incident.number, reason="; ".join(problems),
                )
            )  # fmt: skip

    async def _upload(self, body: UploadExport, effect: Effect) -> Performed:
        """Upload, write the file's id down, then share: a retry shares the same file instead of making a second one."""
        incident = self._incident(effect)
        place, setting = await self._home(incident), f"file/{effect.key}"
        place = await self._ops.place() if place == OPS else place
        facts, policy = await self._facts(incident), self._engine.policy
        name, content = render(body.format, incident, facts, policy, self._around.redactor)
        file = await self._ledger.read(lambda store: store.setting(setting))
        if file is None:
            file = await self._chat.start_upload(name, content)
            uploaded = file
            await self._ledger.write(lambda store: store.put_setting(setting, uploaded))
        await self._chat.share_upload(file, name, place, f"Timeline of {incident.name}")
        return Performed()


def _unsent_before(slot: int, name: str, facts: Sequence[f.Fact]) -> int:
    """How many updates right before this one were written but never stood in Slack."""
    posted = {fact.body.key for fact in facts if isinstance(fact.body, f.Posted)}
    unsent = 0
    while slot - unsent > 1 and f"{name}/update/{slot - unsent - 1}" not in posted:
        unsent += 1
    return unsent
