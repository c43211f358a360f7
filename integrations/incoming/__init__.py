"""What Altegio sends to the portal: the doors of the callback and the events. Store, answer, then think."""
