"""How a screen hears of a change: names of boards, never what is on them."""
