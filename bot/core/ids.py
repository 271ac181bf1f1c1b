"""What ids are made of: `provider.component.check`, each part of it an id by itself."""


class ComponentId(str):
    """`anthropic.api`: a component by its provider's id and its own name there."""

    __slots__ = ()

    @property
    def provider(self) -> str:
        """The provider's id."""
        return self.partition(".")[0]

    @property
    def name(self) -> str:
        """What the provider's section of the configuration calls it."""
        return self.partition(".")[2]


class CheckId(str):
    """`anthropic.api.answer`: a check by its component's id and its own name there. A control is `control.name`."""

    __slots__ = ()

    @property
    def provider(self) -> str:
        """The provider's id; `control` for a control."""
        return self.partition(".")[0]

    @property
    def component(self) -> ComponentId:
        """The component's id."""
        return ComponentId(".".join(self.split(".")[:2]))

    @property
    def name(self) -> str:
        """What the check is called within its component; of a control, its whole name."""
        return self.split(".", 2)[-1]
