"""The risk register: a fold over what people signed."""
