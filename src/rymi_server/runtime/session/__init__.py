"""The conversation of one call, held by livekit-agents' `AgentSession`. Nobody else knows that library."""
