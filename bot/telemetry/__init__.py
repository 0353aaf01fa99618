"""What the program tells its operators: metrics, logs and traces."""
