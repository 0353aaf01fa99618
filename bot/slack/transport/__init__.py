"""The two ways that Slack reaches the app: Socket Mode and signed HTTP."""
