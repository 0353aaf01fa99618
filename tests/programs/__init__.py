"""Programs that try the bot for longer than a test may take: `python -m tests.programs.chaos` and
`python -m tests.programs.load`."""
