"""What files said is kept, so that only what is new is read."""
