"""3. What is: connections, snapshots, scratch databases. The only place that knows dialects apart."""
