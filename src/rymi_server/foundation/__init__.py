"""What every package may stand on; nothing here knows our trade."""
