"""Facts about an incident's presence in the chat."""
