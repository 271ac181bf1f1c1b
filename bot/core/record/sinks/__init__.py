"""What other systems have of a flag's switch."""
