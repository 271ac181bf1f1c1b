"""What all methods of the Web API share."""
