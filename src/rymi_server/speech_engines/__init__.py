"""Engines that hear and speak, behind two promises. Those that hold the GIL run in worker processes."""
