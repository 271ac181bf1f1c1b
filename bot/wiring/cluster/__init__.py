"""What turns a process into one of several replicas.

`room.py` joins them, `alike.py` says in what all should agree, `identity.py` refuses another cluster's ledger, and
`exchange.py` passes on what arrived here.
"""
