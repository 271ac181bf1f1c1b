"""What is done beside flags: who reads them is put on record, their fallbacks are rehearsed, and their sinks fed."""
