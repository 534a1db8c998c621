"""What was: metrics in tiers, component logs, and what Prometheus reads."""
