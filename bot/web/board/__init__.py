"""The board: pages for people. What is wrong first, then every component with its history; an incident's timeline."""
