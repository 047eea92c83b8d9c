"""What people do with models. Unlike the rest of ``models`` it runs them, as a node would."""
