"""Where obsync's files lie, how they are read and written, and how secrets are kept."""
