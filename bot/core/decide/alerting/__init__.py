"""Who is told what of a component, and when nobody is."""
