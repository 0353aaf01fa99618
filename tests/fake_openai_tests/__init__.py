"""The fake OpenAI server, seen through the real SDK."""
