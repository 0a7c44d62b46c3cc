"""What the agent says next: from its playbook without any model, or from a chat model that is told who it is."""
