"""What was agreed: said in one line, kept with an owner and a time, over when it is done."""
