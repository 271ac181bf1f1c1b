"""Which flags, variants and providers outcomes may name, and other programs' names for providers."""

from collections.abc import Mapping

from bot.core.ids import ComponentId
from bot.core.lazy_dataclass import dataclass
from bot.core.policy import FlagPolicy, Policy

# Names of providers in OpenTelemetry and vendors' libraries, and the keys that a configuration is likely to use for them.
ALIASES: Mapping[str, tuple[str, ...]] = {
    "anthropic": ("anthropic", "claude"),
    "openai": ("openai", "gpt", "chatgpt"),
    "gcp.gemini": ("gemini", "google", "google-gemini"),
    "gcp.gen_ai": ("gemini", "google", "vertex"),
    "gcp.vertex_ai": ("vertex", "vertex-ai", "gemini", "google"),
    "gemini": ("gemini", "google"),
    "vertex_ai": ("vertex", "vertex-ai", "gemini", "google"),
    "aws.bedrock": ("bedrock", "aws-bedrock", "aws"),
    "azure.ai.openai": ("azure", "azure-openai", "azure_openai"),
    "azure.ai.inference": ("azure", "azure-ai"),
    "az.ai.openai": ("azure", "azure-openai"),
    "mistral_ai": ("mistral", "mistral-ai"),
    "x_ai": ("xai", "grok"),
    "ibm.watsonx.ai": ("watsonx", "ibm"),
}


@dataclass(frozen=True)
class Known:
    """The names in a configuration; built once per policy."""

    flags: Mapping[str, FlagPolicy]
    providers: Mapping[str, str]  # by key and by lower-case name

    @classmethod
    def of(cls, policy: Policy) -> "Known":
        """The names that this policy knows."""
        named = {one.provider_name.lower(): one.provider for one in policy.components.values()}
        return cls(policy.flags, {**named, **{one.provider: one.provider for one in policy.components.values()}})

    def provider(self, name: str) -> str | None:
        """The provider with that key, name or OpenTelemetry name; None if it is unknown."""
        lowered = name.lower()
        found = self.providers.get(name) or self.providers.get(lowered)
        if found is None:
            keys = ALIASES.get(lowered, (lowered.rpartition(".")[2],))
            found = next((self.providers[key] for key in keys if key in self.providers), None)
        return found

    def provider_of(self, flag: str, variant: str) -> str:
        """The provider behind a variant, according to the configuration; empty if unknown."""
        policy = self.flags.get(flag)
        needs = components_of(policy, variant) if policy else ()
        providers = {ComponentId(id).provider for id in needs}
        return providers.pop() if len(providers) == 1 else ""


def components_of(policy: FlagPolicy, variant: str) -> tuple[str, ...]:
    """The components that a variant of a flag cannot work without."""
    if variant == policy.default:
        return policy.depends_on
    return tuple(fallback.needs for fallback in policy.fallbacks if fallback.variant == variant and fallback.needs)
