"""What a person may ask for: see what is held, take consent back, be erased. A returned claim is true."""
