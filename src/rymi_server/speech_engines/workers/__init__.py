"""Engines that would hold this process up, or may crash, run in processes of their own and speak over a socket pair."""
