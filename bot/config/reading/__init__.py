"""From the file's text to a tree with positions, and to errors that name them."""
