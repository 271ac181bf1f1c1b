"""Facts about what people do with flags besides switching them."""
