"""How the bot hears of what a person does."""
