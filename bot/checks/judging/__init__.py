"""What an answer means: the class of what went wrong, what was expected, what a sample shows of it."""
