"""What other settings would have detected in past check runs. Pure."""
