"""Where the recorded facts that nobody here wrote can be found, if at all."""

import os
from pathlib import Path


def truth_dir() -> Path | None:
    """The folder with Slack's method facts and recorded feeds, or None where this checkout stands alone.

    `UNDERSTUDY_TRUTH` names it; otherwise a folder `shared/truth` beside the checkout is taken.
    """
    named = os.environ.get("UNDERSTUDY_TRUTH")
    candidates = [Path(named)] if named else [Path(__file__).resolve().parents[2] / "shared" / "truth"]
    return next((path for path in candidates if path.is_dir()), None)
