"""What readers of flags ask: OFREP, and the stream that tells them to ask again."""
