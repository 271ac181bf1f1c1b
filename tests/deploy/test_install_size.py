"""What an installation takes on a disk is bounded: what one kind of check needs alone is an extra."""

from bench.install import CLAIM_MB, dependencies, ours, sizes_of


def test_an_installation_without_extras_stays_small() -> None:
    """Whoever adds a library that nobody but one dialect needs sees it here."""
    sizes = sizes_of(dependencies())

    assert (sum(sizes.values()) + ours()) / 1e6 <= CLAIM_MB, sorted(sizes.items(), key=lambda item: -item[1])[:5]
