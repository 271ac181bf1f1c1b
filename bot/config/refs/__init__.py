"""Whether what one section names stands in another."""
