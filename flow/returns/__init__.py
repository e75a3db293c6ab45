"""The daily returns: what they ask for, what the facts say, and what was sent."""
