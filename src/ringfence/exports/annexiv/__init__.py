"""Technical documentation by Annex IV of the AI Act: each sentence is somebody's word, or comes from a record."""
