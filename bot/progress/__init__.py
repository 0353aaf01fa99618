"""What a session's messages show while it is worked on."""
