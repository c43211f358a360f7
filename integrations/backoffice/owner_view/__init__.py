"""The owner's pages for staff to look at: drawn by the owner's own views, with everything in them made inert."""
