"""Orders of a shop at カラーミーショップ (Color Me Shop), by its API (sales, payments)."""
