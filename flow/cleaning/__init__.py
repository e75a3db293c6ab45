"""Beds to clean: a short list for those who clean them."""
