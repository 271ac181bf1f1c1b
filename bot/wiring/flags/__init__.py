"""What is done beside flags: who reads them is put on record, and their fallbacks are rehearsed."""
