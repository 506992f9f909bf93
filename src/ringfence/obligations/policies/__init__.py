"""Policies as texts in which every sentence is somebody's word or a computed state."""
