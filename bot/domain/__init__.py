"""The pure rules: stages, sessions, prompts, policy and failures. Imports nothing from outside."""
