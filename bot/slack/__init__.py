"""The Slack app: listeners on Bolt, and the two transports by which Slack reaches them.

`listeners.register` names every listener. A listener reads the request, lets `bot.service` decide,
acks once the decision is stored, and queues the work. `transport` carries the requests in, over
Socket Mode or HTTP; `bolt.AccessMiddleware` lets in who may use the bot.
"""
