"""Run every benchmark, or those named: `python -m bench store ack`."""

import importlib
import sys

NAMES = (
    "store",
    "day",
    "idle",
    "install",
    "start",
    "ack",
    "home",
    "probe",
    "probe_layers",
    "detection",
    "outage",
    "recovery",
    "many",
    "disk",
    "readers",
    "client",
    "ofrep",
    "listeners",
    "hostile",
    "failover",
    "gateways",
    "history",
    "health",
    "exports",
    "intake",
    "outcomes",
    "storm",
    "replicas",
    "spread",
)


def main(names: list[str]) -> int:
    """Run them one after the other; exit status 1 when a claim does not hold on this machine."""
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"no benchmark is called {unknown[0]!r}; there are: {', '.join(NAMES)}")
        return 2
    held = True
    for name in names or NAMES:
        held = importlib.import_module(f"bench.{name}").main() and held
    return 0 if held else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
