"""What services tell of their requests comes in here: gathered by minute, written once a second."""
