"""From settings and a survey of the inputs to the cells of a run, with keys and seeds."""
