"""The parts of the documentation site that are made from the code, and the check of its links."""
