"""`rymi call`: somebody on the line, from the terminal, by the same doors that customers use."""
