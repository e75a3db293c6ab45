"""Who leaves when, how many beds that frees, and how right we have been."""
