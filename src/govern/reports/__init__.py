"""6. What we say: a report as text, as JSON."""
