"""The doctor: what in this machine, account or installation keeps obsync from working, each with its cure."""
