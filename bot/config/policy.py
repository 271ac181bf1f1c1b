"""From the configuration to what decisions need: `Config` becomes `core.model.Policy`."""

from zoneinfo import ZoneInfo

from bot.config.detection import MaintenanceConfig, OutcomesConfig
from bot.config.models import Config
from bot.core.ids import ComponentId
from bot.core.maintenance_windows import Recurrence, Window
from bot.core.model import Level, Severity
from bot.core.paging import PageStep, PagingPolicy, QuietHours
from bot.core.policy import (
    Automation,
    BroadcastPolicy,
    BurnWindow,
    ComponentPolicy,
    Fallback,
    FirstStep,
    FlagPolicy,
    IncidentPolicy,
    OnExpiry,
    Policy,
    PromptPrice,
    RealTraffic,
    RehearsePolicy,
    ResolveMode,
    SinkPolicy,
)


def to_policy(config: Config) -> Policy:
    """The policy of a configuration. The caller expands ids of user groups in the lists of people."""
    return Policy(
        components={id: _component(config, id) for id in config.components()},
        flags={key: _flag(config, key) for key in config.flags},
        incidents=_incidents(config),
        maintenance=tuple(_window(one) for one in config.maintenance),
        longest_mute=config.mutes.longest,
        paging=_paging(config),
        broadcast=tuple(
            BroadcastPolicy(one.channel, frozenset(map(Severity, one.severities)), full=one.detail == "full")
            for one in config.broadcast
        ),
        real_traffic=_real_traffic(config.outcomes),
        prices={
            id: PromptPrice(price.input_per_mtok, price.cached_per_mtok)
            for id, price in config.prices.items()
            if price.cached_per_mtok is not None
        },
    )


def _component(config: Config, id: str) -> ComponentPolicy:
    provider = ComponentId(id).provider
    page = config.providers[provider].status_page
    runbook, opens = config.runbooks.get(id), config.open_on(id)
    return ComponentPolicy(
        id=id,
        name=config.component_name(id),
        provider=provider,
        provider_name=config.provider_name(provider),
        open_on={Level.DOWN: str(opens.down), Level.DEGRADED: str(opens.degraded)},
        page_url=_front(page.urls[0]) if page else "",
        runbook_url=(runbook.url or "") if runbook else "",
        runbook_steps=runbook.steps if runbook else (),
        invite=runbook.invite if runbook else (),
        depends_on=config.components()[id].depends_on,
    )


def _window(section: MaintenanceConfig) -> Window:
    if section.repeats == "never":
        return Window(section.components, section.starts, section.starts + section.lasts, reason=section.reason)
    zone = ZoneInfo(section.time_zone)
    first = section.starts.astimezone(zone)
    days = frozenset({first.weekday()}) if section.repeats == "weekly" else frozenset()
    recurrence = Recurrence(first.time(), section.lasts, days, zone)
    return Window(section.components, section.starts, recurrence=recurrence, reason=section.reason)


def _real_traffic(section: OutcomesConfig) -> RealTraffic:
    fast, slow = (BurnWindow(one.window, one.burn) for one in (section.fast, section.slow))
    return RealTraffic(section.minimum, fast, slow, section.objective)


def _front(url: str) -> str:
    """The page that people open: the feed's address without its path."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}/"


def _flag(config: Config, key: str) -> FlagPolicy:
    flag = config.flags[key]
    return FlagPolicy(
        key=key,
        variants=flag.variants,
        aliases=flag.aliases,
        default=flag.default,
        fallbacks=tuple(Fallback(one.variant, one.needs) for one in flag.fallbacks),
        depends_on=flag.depends_on,
        description=flag.description,
        automation=Automation(flag.automation),
        engage_on=Level(flag.engage_on),
        min_hold=flag.min_hold,
        steps=flag.hand_back.steps,
        hold=flag.hand_back.hold,
        first_step=FirstStep(flag.hand_back.first_step),
        sticky_by=flag.sticky_by,
        stays_for=flag.hand_back.at_most if flag.hand_back.only == "new" else None,
        stop_at_errors=flag.hand_back.stop_at_errors,
        expires_after=flag.expires_after,
        on_expiry=OnExpiry(flag.on_expiry),
        rehearse=RehearsePolicy(**dict(flag.rehearse)) if flag.rehearse else None,
        approvers=flag.approvers,
        approver_list=flag.approvers,
        quorum=flag.quorum,
        approve_within=flag.approve_within,
        sinks=tuple(SinkPolicy(one.id, one.label, one.at_rest, one.repairs) for one in flag.sinks),
    )


def _incidents(config: Config) -> IncidentPolicy:
    section = config.incidents
    return IncidentPolicy(
        update_every={Severity(name): every for name, every in section.update_every.by_severity().items()},
        resolve=ResolveMode(section.resolve),
        resolve_after=section.resolve_after,
        channel_name=section.channel_name,
        private=section.private,
        alerts_channel=config.slack.alerts_channel,
        backup_channel=config.slack.backup_channel,
        viewers=config.people.viewers,
        responders=config.people.responders,
        commanders=config.people.commanders,
        admins=config.people.admins,
        lists=config.people.lists(),
        bridge_url=section.bridge_url or "",
        declare_emoji=section.declare_emoji,
        zone=section.zone,
        roles=config.people.roles,
        nag_after=config.people.nag_after,
    )


def _paging(config: Config) -> PagingPolicy:
    quiet = config.paging.quiet
    steps = {
        Severity(name): tuple(PageStep(step.after, step.mention, step.dm, step.notify) for step in written)
        for name, written in config.paging.by_severity().items()
        if written
    }
    hours = None
    if quiet is not None:
        named = frozenset(map(Severity, quiet.severities))
        hours = QuietHours(named, quiet.begins, quiet.ends, ZoneInfo(quiet.zone))
    return PagingPolicy(steps, hours, last_resort=bool(config.notify))
