"""What people say about their privacy, and what the bot says: language packs, fixed lexicons, and the turns' rules."""
