"""What people see: Block Kit from a session. Pure functions: no client, no clock, no environment.

What a user typed goes into `plain_text` (or an image's alt text), which Slack does not read as
markup. Where it has to stand in mrkdwn, it goes through `escape` once.
"""
