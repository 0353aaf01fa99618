"""What people see: Block Kit from a session. Pure functions: no client, no clock, no environment.

What a user typed goes into `plain_text` (or an image's alt text), which Slack does not read as
markup; where only mrkdwn will do, it goes through `escape` once.
"""
