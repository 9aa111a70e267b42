"""Orders of a Rakuten Ichiba shop, by RMS WEB SERVICE (RakutenPayOrderAPI ES 2.0)."""
