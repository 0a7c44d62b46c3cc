"""Tenants: who this installation serves."""
