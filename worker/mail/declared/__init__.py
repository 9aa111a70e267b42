"""The declarations of all placeholders, by what they speak of."""
