"""What an operator does from the command line. Each module is loaded when its command is asked for."""
