"""What the controller shows others: the report, the status in a few lines, and the scope of a breach. Counts only."""
