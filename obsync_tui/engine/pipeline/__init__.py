"""One project's run: phases, threads, bounded queues, checkpoint."""
