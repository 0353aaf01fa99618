"""Running the program: the checks of what is outside, health and metrics, start-up and stopping."""
