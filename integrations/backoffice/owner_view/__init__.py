"""The owner's pages as staff may look at them: rendered by the owner's own views, then made inert."""
