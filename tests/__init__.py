"""Tests, as a mirror of the tree: unit, integration (real servers), scenario (requests into the
Slack app, calls out), end to end (the program as a process over the real protocols)."""
