"""`python -m bot demo`: the bot with no accounts at all.

this process   the simulated workspace and its page (bot.sandbox), an embedded Valkey
its child      `python -m bot dev`, the bot as it is in production, started again when it ends

run            starts all of it, and stops it on a signal
bot_child      keeps the child running
watch          shows jobs and stages of sessions on the page's wire
words          what the terminal says
"""

from bot.demo.run import demo

__all__ = ["demo"]
