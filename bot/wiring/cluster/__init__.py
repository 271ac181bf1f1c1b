"""What makes one process one of several replicas: `room.py` joins them, `alike.py` says what all should be alike in,
`identity.py` refuses a ledger of somebody else's, and `exchange.py` tells the others what came in here."""
