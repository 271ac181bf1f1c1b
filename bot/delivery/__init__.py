"""What each effect is in the chat, where it goes, and what is said there around the outbox."""
