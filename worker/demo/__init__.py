"""The demonstration: shipped sample exports, dated from today, through the real service."""
