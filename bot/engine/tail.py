"""What others committed meanwhile, folded into the world that an engine shows."""

from bot.core.record.kinds import known
from bot.ports import Store, StoreError, StoreTrouble


def require_known(store: Store, position: int = 0) -> None:
    """Raise StoreError (NEWER) where a fact behind this position is of a kind or version that only a newer Understudy knows."""
    newer = sorted(kind for kind in store.kinds_since(position) if not known(*kind))
    if newer:
        names = ", ".join(f"{kind} version {version}" for kind, version in newer)
        raise StoreError(f"a newer Understudy writes this ledger ({names}); upgrade this replica", kind=StoreTrouble.NEWER)
