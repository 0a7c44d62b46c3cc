"""Language models of three families over plain HTTP. Each knows its own wire and nothing of the others."""
