"""Background work: a handler for each kind of job, the last try, the sweeper."""
