"""What people read of facts: rows of plain English, and how long things took. Pure."""
