"""The progress that a session's messages show: status, previews, place in the queue, drafts."""
