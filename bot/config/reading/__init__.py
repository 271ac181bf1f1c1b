"""From the text of the file to a tree with places, and to errors that name them."""
