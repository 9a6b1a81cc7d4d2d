"""The versions of a flow: listed, compared, read and put back. Nothing here unpickles."""
