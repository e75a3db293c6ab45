"""The rules by which beds are given, as everybody may read them."""
