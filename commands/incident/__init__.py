"""`/incident`: the word itself, and its parts: declaring, tasks, the timeline, briefings, converting a channel."""
