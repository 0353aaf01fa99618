"""Running the program: checks of Redis, Slack and the provider, health and metrics, start-up and
shutdown."""
