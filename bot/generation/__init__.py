"""The parts of the call for one image: its request, its checkpoint, a store that is retried."""
