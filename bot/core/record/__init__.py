"""The record: facts, each with its fold, and the states that they add up to."""
