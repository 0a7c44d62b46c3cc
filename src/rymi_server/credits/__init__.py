"""Prepaid credit: balances, holds for running calls, and the ledger."""
