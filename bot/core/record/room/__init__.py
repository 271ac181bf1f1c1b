"""Facts of an incident in the chat."""
