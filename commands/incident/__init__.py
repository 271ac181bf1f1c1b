"""`/incident`: its word, and what belongs to it: declaring, tasks, the timeline, briefings, a channel that becomes its own."""
