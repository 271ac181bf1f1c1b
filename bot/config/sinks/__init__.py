"""Other systems that follow a flag."""
