"""What answers over HTTP: health for load balancers, orchestrators and Prometheus."""
