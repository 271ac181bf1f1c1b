"""Who watches over the ledger: opens it, believes none that was edited, notices when it takes nothing."""
