"""5. What we do: the only place that writes."""
