"""The agent's voice on its way out: paced, stoppable at once, and honest about what was really heard."""
