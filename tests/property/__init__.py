"""What holds for any input, and in any order."""
