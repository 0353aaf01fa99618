"""What the call for one image needs: its request, its checkpoint, a store that is retried."""
