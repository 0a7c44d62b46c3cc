"""English as people say it: digits, quantities, days, times, names, addresses and agreement, read out of a sentence.

Nothing here guesses: what is not plainly there is None.
"""
