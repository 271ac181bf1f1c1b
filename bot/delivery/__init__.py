"""What each effect does in the chat, where posts go, and what is posted there without the outbox."""
