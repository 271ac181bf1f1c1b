"""The board: pages for people. Problems first, then every component with its history; and an incident's timeline."""
