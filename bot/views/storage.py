"""What people are told when the ledger does not take what they asked for."""

from bot.ports import StoreError, StoreTrouble

WHY = {
    StoreTrouble.FULL: "The disk is full",
    StoreTrouble.READ_ONLY: "The ledger cannot be written",
    StoreTrouble.IO: "The disk of the ledger fails",
    StoreTrouble.GONE: "The ledger's file is gone",
    StoreTrouble.CORRUPT: "The ledger is damaged",
    StoreTrouble.OTHER: "The ledger cannot be used",
}


def nothing_changed(error: StoreError) -> str:
    """One sentence for whoever asked for a change."""
    return f"{WHY[error.kind]}, nothing was changed."


def meanwhile(error: StoreError) -> str:
    """What holds until it is mended, and what mends it."""
    if error.kind is StoreTrouble.FULL:
        return "Flags stay as they are; make room where Understudy runs, and it goes on by itself."
    return "Flags stay as they are. Whoever runs Understudy finds the remedy in its log."
