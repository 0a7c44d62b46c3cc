"""Agents: who speaks in a call, and how."""
