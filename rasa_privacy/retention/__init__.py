"""What is due, and the sweep that removes it."""
