"""What tests share: the program as a process, and where it runs."""
