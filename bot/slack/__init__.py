"""The Slack app: listeners on Bolt, and the two ways that Slack reaches them.

`Listeners.register` names every listener. A listener reads the request, lets `bot.service`
decide, acks once the decision is kept, and hands the work to the queue. `http` and `socket_mode`
carry the requests in.
"""
