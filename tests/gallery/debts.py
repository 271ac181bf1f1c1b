"""Messages that are longer or older than they should be, by chapter of the gallery. A debt only falls."""

OVERLONG: dict[str, dict[str, int]] = {
    "Quiet threads in ops": {"Thread: degraded": 67, "Thread: our own key": 63},
    "/health": {
        "/health: several": 122,
        "/health: we are blind": 138,
        "/health: nothing is written down": 162,
        "/health claude: all well": 155,
        "/health claude: down": 196,
        "/health claude: several": 258,
        "/health claude: our own key": 174,
    },
    "/incident list, show, timeline": {"/incident show: open": 128, "/incident timeline": 217},
    "While the ledger takes nothing": {"Nothing is written down": 67},
}
LONG_PUSHES: dict[str, dict[str, int]] = {}
OLD_WORDS: dict[str, set[str]] = {
    "The alert": {"look", "runs, rounds"},
    "Paging": {"look"},
    "The incident's channel": {"carry", "look"},
    "Updates and the summary": {"look"},
    "What happens in an incident": {"the rule"},
    "Flags": {"carry", "engage, release", "feels it", "hand-back", "proposal", "the rule", "well"},
    "Components and vendors": {"k-of-n", "look", "the rule"},
    "Quiet threads in ops": {"at present", "k-of-n", "look", "runs, rounds", "the rule", "theirs, ours", "well"},
    "/health": {"look", "runs, rounds", "the rule", "theirs, ours"},
    "/fallback status": {"carry", "the rule"},
    "/incident list, show, timeline": {"k-of-n", "look", "runs, rounds"},
    "/understudy": {"look"},
    "Answers": {"carry", "engage, release", "hand-back", "well"},
    "Forms": {"look"},
}
