"""All plugins that come with the harness, one folder a hook, registered by entry points."""
