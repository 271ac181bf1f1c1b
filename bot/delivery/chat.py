"""What each kind of effect does in the chat. `places.py` says where a post goes, `wordings.py` what it says."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from bot.core import effects as e
from bot.core.effects import Effect
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor
from bot.core.record.incident import Incident
from bot.core.signals import ChannelLost, PostLost
from bot.delivery.broadcasts import Broadcasts
from bot.delivery.incident_channel import CLOCK_SLACK, IncidentChannel, incident_of
from bot.delivery.ops_channel import OpsChannel
from bot.delivery.pages import Pages
from bot.delivery.places import OPS, Places
from bot.delivery.survey import Survey
from bot.delivery.tasks import TaskReminders
from bot.delivery.wordings import Wordings
from bot.exports import rendered
from bot.ports import (
    ChannelGone,
    Chat,
    EffectError,
    Engine,
    Ledger,
    Message,
    MessageGone,
    Notifier,
    OnCall,
    OutboxRow,
    Performed,
    Performer,
    Performers,
    Place,
    PostedAt,
    Wait,
    together,
)
from bot.system.clock import Clock
from bot.system.garbage import GARBAGE
from bot.system.redaction import Redactor

log = structlog.get_logger(__name__)

PATIENT = 3  # attempts of a page while its alert is being rate-limited

Wording = Callable[[Any, Effect], Awaitable[Message | None]]  # the message for an effect; None if there is nothing to say
Placing = Callable[[Any, Effect], Awaitable[Place | Wait | None]]  # None if there is nothing to reply to


@dataclass(frozen=True)
class MessageContext:
    """What messages mention besides facts."""

    board_url: str = ""
    invite: tuple[str, ...] = ()
    readers: Callable[[str], int] = lambda flag: 0
    redactor: Redactor | None = None  # for the contents of files
    on_call: OnCall | None = None
    notifier: Notifier | None = None  # for the addresses that paging steps call


class Delivery:
    """Carries effects out through `Chat`."""

    def __init__(
        self, chat: Chat, engine: Engine, ledger: Ledger, clock: Clock, around: MessageContext, ops: OpsChannel | None = None
    ) -> None:
        self._chat = chat
        policy = engine.policy.incidents
        self._ops = ops or OpsChannel(chat, clock, policy.alerts_channel, policy.backup_channel, lambda trouble: None)
        self._pages = Pages(chat, engine, clock, around.on_call, around.notifier)
        self._channel = IncidentChannel(chat, engine, clock, board_url=around.board_url, invite=self._invited)
        self._broadcasts = Broadcasts(chat, engine, ledger, clock)
        self._tasks = TaskReminders(chat, engine, clock)
        self._places = Places(engine, ledger)
        self._words = Wordings(engine, ledger, clock, self._pages, around.readers)
        self._engine = engine
        self._ledger = ledger
        self._clock = clock
        self._around = around

    def performers(self) -> Performers:
        """The performers for effects in the chat, by kind."""
        alert = self._posting(self._words.alert, self._places.in_ops)
        mention = self._posting(self._pages.reply, self._places.under_the_alert)
        others = (self._channel, self._pages, self._tasks, self._broadcasts)
        return together(*(one.performers() for one in others), {
            e.PostAlert: self._calling(alert, _names_in_alert),
            e.PageMention: self._calling(mention, lambda body, incident: body.names),
            e.PostEvidence: self._posting(self._words.evidence, self._places.in_the_alerts_thread),
            e.PostCard: self._posting(self._words.card, self._places.at_home),
            e.PostRunbook: self._posting(self._words.runbook, self._places.at_home),
            e.PostUpdate: self._posting(self._words.update, self._places.at_home),
            e.PostSummary: self._posting(self._words.summary, self._places.at_home),
            e.PostLine: self._posting(self._words.line, self._places.where_it_belongs),
            e.PostRefusal: self._posting(self._words.refusal, self._places.in_ops),
            e.OpenThread: self._posting(self._words.quiet, self._places.in_ops),
            e.ReplyInThread: self._posting(self._words.quiet_reply, self._places.under_its_root),
            e.TellPerson: Performer(self._tell),
            e.EditAlert: Performer(self._edit_alert),
            e.EditEvidence: Performer(self._edit_evidence),
            e.EditCard: Performer(self._edit_card),
            e.UploadExport: Performer(self._upload),
        })  # fmt: skip

    @property
    def survey(self) -> Survey:
        """Checks whether everything of an incident exists in the chat."""
        return Survey(self._chat, self._engine, self._ledger, self._channel)

    # --- posts: one way for all

    def _posting(self, wording: Wording, placing: Placing) -> Performer:
        async def perform(body: Any, row: OutboxRow) -> Performed | Wait:
            place = await placing(body, row.effect)
            if isinstance(place, Wait):
                return place
            message = await wording(body, row.effect)
            if place is None or message is None:
                return Performed()
            return await self._post(row.effect, place, message)

        async def find(body: Any, row: OutboxRow) -> Performed | Wait | None:
            place = await placing(body, row.effect)
            if isinstance(place, Wait):
                return place
            return await self._find(row, place) if place else Performed()

        return Performer(perform, find)

    def _calling(self, posting: Performer, names: Callable[[Any, Incident], Sequence[str] | None]) -> Performer:
        """A performer that also reports whom the post mentions, even if it was posted earlier and found again."""

        async def called(came: Performed | Wait, body: Any, effect: Effect) -> Performed | Wait:
            incident = await incident_of(effect, self._engine)
            whom = names(body, incident)
            return await self._pages.came_to(came, whom, incident) if whom and isinstance(came, Performed) else came

        async def perform(body: Any, row: OutboxRow) -> Performed | Wait:
            came = await posting.perform(body, row)
            if isinstance(came, Wait) and row.attempt >= PATIENT:
                raise EffectError(came.reason, permanent=False)  # so that people are told by other means
            return await called(came, body, row.effect)

        async def find(body: Any, row: OutboxRow) -> Performed | Wait | None:
            found = await posting.find(body, row) if posting.find else None
            return await called(found, body, row.effect) if found else None

        return Performer(perform, find)

    async def _post(self, effect: Effect, place: Place, message: Message) -> Performed | Wait:
        if place == OPS:
            return _at(await self._ops.post(message, effect.key))
        try:
            return _at(await self._chat.post(place, message, effect.key))
        except (ChannelGone, MessageGone) as error:
            moved = await self._moved(effect, place, error)
            if moved is None:
                raise
            return moved

    async def _find(self, row: OutboxRow, place: Place) -> Performed | None:
        """Search for a post by its key, starting a little before the first attempt."""
        key, since = row.effect.key, (row.first_started_at or row.created_at) - CLOCK_SLACK
        at = await (self._ops.find_post(key, since) if place == OPS else self._chat.find_post(place, key, since))
        return _at(at) if at else None

    async def _moved(self, effect: Effect, place: Place, error: ChannelGone | MessageGone) -> Wait | None:
        """A channel or thread of the incident is gone: record that, so that the next attempt uses the new place."""
        incident = (await self._engine.world_with([effect.incident or 0])).incidents.get(effect.incident or 0)
        if incident is None:
            return None
        if place.thread_ts and place.thread_ts == incident.room.alert.ts:
            await self._lost_post(incident, e.PostAlert, error)
            return Wait(f"{error}; going on under the new alert")
        if isinstance(error, ChannelGone) and not place.thread_ts and place.channel == incident.room.channel:
            await self._lost_channel(incident, error)
            return Wait(f"{error}; going on in the thread of the alert")
        return None

    async def _lost_channel(self, incident: Incident, error: ChannelGone) -> None:
        reason = f"#{incident.room.name} takes no more posts: {error.why} ({error.code})"
        await self._engine.handle(ChannelLost(actor=Actor.rule("outbox"), incident=incident.number, reason=reason))

    async def _lost_post(
        self, incident: Incident, what: type[e.PostAlert | e.PostCard], error: ChannelGone | MessageGone
    ) -> None:
        ts = incident.room.alert.ts if what is e.PostAlert else incident.room.card.ts
        await self._engine.handle(
            PostLost(
                actor=Actor.rule("outbox"), id=f"lost/{incident.name}/{what.KIND}/{ts}", incident=incident.number, what=what,
                ts=ts, reason=str(error), with_channel=isinstance(error, ChannelGone),
            )
        )  # fmt: skip

    async def _invited(self, incident: Incident) -> Sequence[str]:
        """Whom to invite: those for every incident, those for its components, and for `people.on_call` whoever is on call now.

        Nobody is invited to a drill that pages nobody; participants come by themselves.
        """
        if not incident.calls_people:
            return []
        known = [one for id in incident.affected if (one := self._engine.policy.component(id))]
        names = (*self._around.invite, *(name for one in known for name in one.invite))
        return [id for name in dict.fromkeys(names) for id in (await self._pages.invited(name))]

    # --- other effects than posts

    async def _tell(self, body: e.TellPerson, row: OutboxRow) -> Performed:
        return _at(await self._chat.tell(body.user, await self._words.refusal(body, row.effect), row.effect.key))

    async def _edit_alert(self, body: e.EditAlert, row: OutboxRow) -> Performed:
        incident = await incident_of(row.effect, self._engine)
        if not incident.room.alert.ts:
            return Performed()  # it was given up
        try:
            await self._chat.edit(
                PostedAt(incident.room.alert.channel, incident.room.alert.ts), await self._words.alert(body, row.effect)
            )
        except (ChannelGone, MessageGone) as error:
            await self._lost_post(incident, e.PostAlert, error)
        return Performed()

    async def _edit_evidence(self, body: e.EditEvidence, row: OutboxRow) -> Performed:
        at = (await incident_of(row.effect, self._engine)).room.evidence
        if at.ts:
            try:
                await self._chat.edit(PostedAt(at.channel, at.ts), await self._words.evidence(body, row.effect))
            except (ChannelGone, MessageGone) as error:
                log.info("the evidence was deleted in Slack and is not posted again", why=str(error))
        return Performed()

    async def _edit_card(self, body: e.EditCard, row: OutboxRow) -> Performed:
        incident = await incident_of(row.effect, self._engine)
        at = PostedAt(incident.room.card.channel, incident.room.card.ts)
        if not at.ts or at.channel != (incident.room.channel or incident.room.alert.channel):
            return Performed()  # it was given up, or is in a lost channel
        try:
            await self._chat.edit(at, await self._words.card(body, row.effect))
        except ChannelGone as error:
            if at.channel == incident.room.channel:
                await self._lost_channel(incident, error)
            else:
                await self._lost_post(incident, e.PostCard, error)
        except MessageGone as error:
            await self._lost_post(incident, e.PostCard, error)
        return Performed()

    async def _upload(self, body: e.UploadExport, row: OutboxRow) -> Performed | Wait:
        """Upload, record the file's id, then share: a retry shares the same file instead of uploading again."""
        incident, setting = await incident_of(row.effect, self._engine), f"file/{row.effect.key}"
        place = await self._places.at_home(body, row.effect)
        if isinstance(place, Wait):
            return place
        place = await self._ops.place() if place == OPS else place
        with GARBAGE.paused():
            facts = await self._ledger.read(lambda store: store.facts_about(incident.number))
            name, content = await rendered(body.format, incident, facts, self._engine.policy, self._around.redactor)
        file = await self._ledger.read(lambda store: store.setting(setting))
        if file is None:
            file = await self._chat.start_upload(name, content)
            uploaded = file
            await self._ledger.write(lambda store: store.put_setting(setting, uploaded))
        await self._chat.share_upload(file, name, place, f"Timeline of {incident.name}")
        return Performed()


def _names_in_alert(body: e.PostAlert, incident: Incident) -> Sequence[str]:
    return incident.paging.alert.names if incident.paging.alert and body.number == 1 else ()


def _at(at: PostedAt) -> Performed:
    return Performed(at.channel, at.ts)
