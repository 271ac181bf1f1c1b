"""Who is told what about a component, and when nobody is."""
