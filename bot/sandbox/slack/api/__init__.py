"""Code that all methods of the Web API share."""
