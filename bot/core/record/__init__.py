"""What is written down, and what it adds up to: facts, each with its fold, beside the states that they make."""
