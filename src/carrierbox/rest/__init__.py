"""What the carriers' REST servers have in common: faults, bounded bodies and pages."""
