"""Facts as people read them: rows of plain English, and how long things took. Pure."""
