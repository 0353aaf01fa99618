"""What a person does, and what they see."""
