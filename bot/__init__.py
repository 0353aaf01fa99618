"""imagine-bot: a Slack bot that keeps a person in the loop of AI image generation."""
