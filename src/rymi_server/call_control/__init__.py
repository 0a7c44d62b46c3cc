"""The one door into a call: admission, creating, adding people, ending."""
