"""Applications that do not start on the wrong schema, one for each framework; docs/frameworks.md runs them."""
