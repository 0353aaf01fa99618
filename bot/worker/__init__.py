"""What runs in the background: the jobs, the sweeper, and the queue's own status lines."""
