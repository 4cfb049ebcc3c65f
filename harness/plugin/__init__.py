"""What a plugin author meets: values, base classes, hooks, specs, and the registry."""
