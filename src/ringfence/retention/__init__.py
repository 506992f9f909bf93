"""What is kept, why and until when; sweeping, erasing, holding."""
