"""One command on hundreds of databases: which ones, in which order, how many at once, and when to stop."""
