"""The processes and the command line. Settings are read here, everything is built here, and handed down."""
