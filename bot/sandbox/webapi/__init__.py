"""The Web API as the bot calls it."""
