"""What nodes are made of: one provider per class, and the parts that they share."""
