"""What the keyboard can do: one registry of actions, from which bindings, footer, help, palette and docs are made."""
