"""Places after hospital: what is asked, what is answered, what is free."""
